import { createCatalog } from '@koco/flow'
import { createLog } from '../compose/log.ts'
import { openExecution } from '../compose/stores.ts'
import { startWorker } from '../compose/temporal.ts'
import { openTransport } from '../compose/transport.ts'
import { hostFlows } from '../flows/host.ts'
import type { Io } from '../output/io.ts'
import type { Settings } from '../settings/schema.ts'
import { writeAcknowledged } from './acknowledged.ts'
import { drillFlow } from './flow.ts'
import { onlyDrill } from './world.ts'

/** Is a worker of the drill's flow until SIGTERM: like any other, but that it writes down what the stream acknowledged. */
export async function workForDrill(settings: Settings, io: Io, file: string): Promise<void> {
  const log = createLog(settings, false)
  hostFlows(log)
  const store = { ...(await openExecution(settings, io.cwd, { takesEvents: false })), flows: onlyDrill }
  const transport = await openTransport(settings)
  try {
    const parts = { catalog: createCatalog([drillFlow]), store, transport: { ...transport, streams: writeAcknowledged(transport.streams, file) }, log }
    const worker = await startWorker(settings, io.cwd, parts, { graceMs: 5000 })
    try {
      await Promise.race([worker.ended, new Promise((done) => io.stop.addEventListener('abort', done, { once: true }))])
    } finally {
      await worker.close()
    }
  } finally {
    await transport.close()
    await store.close()
  }
}
