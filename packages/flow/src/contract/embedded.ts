import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSpooler } from '@koco/spooler'
import type { ExecutionStore } from '@koco/storage'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { createMemoryTransport, type Transport } from '@koco/transport'
import { createCatalog } from '../catalog.ts'
import { folderContents } from './folder-contents.ts'
import type { OpenLauncher } from './under-test.ts'
import { createDirectLauncher } from '../direct/launcher.ts'

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** What a launcher stands on: a store, a transport and a spooler between them. */
export type Ground = { readonly store: ExecutionStore; readonly transport: Transport; readonly close: () => Promise<void> }

/** Starts a spooler between a transport and a store; `close` ends all three. */
export function openGround(store: ExecutionStore, transport: Transport): Ground {
  const spooler = createSpooler({ consumer: transport.consumer('test'), signals: transport.signals, writer: store.writer, dead: store.dead, log: silent })
  spooler.start()
  const close = async (): Promise<void> => {
    await spooler.stop(5000)
    await transport.close()
    await store.close()
  }
  return { store, transport, close }
}

/** The embedded shape on a folder: memory transport, spooler, SQLite. */
export async function openEmbedded(dir: string): Promise<Ground> {
  return openGround(await createSqliteExecutionStore({ dir, migrate: true }), createMemoryTransport())
}

/** A throw-away folder. */
export async function newDir(): Promise<{ readonly dir: string; readonly remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'koco-flow-'))
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) }
}

/** Direct launchers for the contract, each on ground of its own. */
export function onGround(open: () => Promise<Ground>): OpenLauncher {
  return async (flows, idleMs) => {
    const { store, transport, close } = await open()
    const { contents, remove } = await folderContents()
    const start = () => createDirectLauncher({ catalog: createCatalog(flows), store, transport, contents, limits: { idleMs } })
    let launcher = await start()
    return {
      launcher,
      store,
      contents,
      restart: async () => {
        await launcher.close(0)
        launcher = await start()
        return launcher
      },
      close: async () => {
        await launcher.close(1000)
        await close()
        await remove()
      },
    }
  }
}
