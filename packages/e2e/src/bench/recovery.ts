import { createInstallation } from '../processes/installation.ts'
import { fileURLToPath } from 'node:url'
import { atMost, type Figure } from './figure.ts'

const FLOWS = fileURLToPath(new URL('../flows/bench-flows.ts', import.meta.url))

/** From the moment in which a restarted process answers to the next step of a run that `kill -9` interrupted. */
export async function recovery(): Promise<Figure[]> {
  const installation = await createInstallation({ KODO_FLOWS: FLOWS })
  try {
    const first = await installation.startPanel('start')
    const client = await installation.client()
    const fid = await client.start('emit-many', { events: 100_000, pauseMs: 20 })
    for await (const frame of client.tail(fid)) if (frame.event === 'step') break
    await first.kill('SIGKILL')
    const before = Date.now() / 1000
    await installation.startPanel('start')
    const answering = Date.now() / 1000
    for await (const frame of client.tail(fid)) {
      const event = JSON.parse(frame.data) as { ts: number }
      if (frame.event === 'step' && event.ts > before)
        return [atMost('from answering again to the next step', Math.max(0, (event.ts - answering) * 1000), 'ms', 500)]
    }
    throw new Error('the run was not continued')
  } finally {
    await installation.close()
  }
}
