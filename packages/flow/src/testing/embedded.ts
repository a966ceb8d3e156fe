import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSpooler } from '@koco/spooler'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { createMemoryTransport } from '@koco/transport'
import { createCatalog } from '../catalog.ts'
import type { OpenLauncher } from '../contract/under-test.ts'
import { createDirectLauncher } from '../direct/launcher.ts'
import type { DirectLauncherOptions } from '../direct/options.ts'

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** The embedded shape on a folder: memory transport, spooler, SQLite. */
export async function openEmbedded(dir: string) {
  const store = await createSqliteExecutionStore({ dir, migrate: true })
  const transport = createMemoryTransport()
  const spooler = createSpooler({ consumer: transport.consumer('test'), signals: transport.signals, writer: store.writer, dead: store.dead, log: silent })
  spooler.start()
  const close = async (): Promise<void> => {
    await spooler.stop(5000)
    await transport.close()
    await store.close()
  }
  return { store, transport, close }
}

/** A direct launcher in the embedded shape, on a throw-away folder. */
export function openEmbeddedLauncher(options: Partial<DirectLauncherOptions> = {}): OpenLauncher {
  return async (flows, idleMs) => {
    const dir = await mkdtemp(join(tmpdir(), 'koco-flow-'))
    const { store, transport, close } = await openEmbedded(dir)
    const start = () => createDirectLauncher({ catalog: createCatalog(flows), store, transport, ...options, limits: { idleMs, ...options.limits } })
    let launcher = await start()
    return {
      launcher,
      store,
      restart: async () => {
        await launcher.close(0)
        launcher = await start()
        return launcher
      },
      close: async () => {
        await launcher.close(1000)
        await close()
        await rm(dir, { recursive: true, force: true })
      },
    }
  }
}
