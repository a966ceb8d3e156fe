import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { RunState } from '@koco/core'
import { createCatalog, type Contents, type Flow, type TryLimits } from '@koco/flow'
import { folderContents, type LauncherUnderTest, type OpenLauncher } from '@koco/flow/contract'
import { createSpooler } from '@koco/spooler'
import { openExecutionStore, type ExecutionStore } from '@koco/storage'
import type { Transport } from '@koco/transport'
import { createRedisTransport } from '@koco/transport/redis'
import { createTemporalLauncher } from '../client/launcher.ts'
import { TemporalServer, type TemporalSettings } from '../client/server.ts'
import type { Log } from '../log.ts'
import { startTemporalWorker, type TemporalWorker } from '../worker/worker.ts'

/** The servers that a launcher under test uses. Without a database the runs are in SQLite, in a throw-away folder. */
export type Servers = { readonly temporal: string; readonly redis: string; readonly database?: string }

/** Everything of an installation in Temporal mode, in one process, apart from others on the same servers. */
export type TemporalRig = {
  readonly settings: TemporalSettings
  readonly server: TemporalServer
  readonly store: ExecutionStore
  readonly transport: Transport
  readonly dir: string
  stopSpooler(): Promise<void>
  startSpooler(): void
  /** A worker of these flows; closed with the rig. */
  startWorker(
    flows: readonly Flow[],
    options?: { readonly limits?: Partial<TryLimits>; readonly graceMs?: number; readonly log?: Log; readonly contents?: Contents },
  ): Promise<TemporalWorker>
  /** The run, once it is as `is` says. */
  until(fid: string, is: (run: RunState) => boolean): Promise<RunState>
  close(): Promise<void>
}

/** How long tests wait for what other processes do, and how often they look. */
export const PATIENCE = { timeout: 90_000, interval: 20 }

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
/** Bundled once for all tests of a checkout. */
const CACHE = fileURLToPath(new URL('../../../../node_modules/.cache/koco-workflow-bundles', import.meta.url))

/** Opens store, transport and spooler. */
export async function openRig(servers: Servers): Promise<TemporalRig> {
  const id = randomUUID().slice(0, 8)
  const dir = await mkdtemp(join(tmpdir(), 'koco-temporal-'))
  const settings = { address: servers.temporal, namespace: 'default', taskQueue: `koco-${id}`, workflowIdPrefix: `kodo-${id}-`, executionTimeoutS: null }
  const server = new TemporalServer(settings)
  const store = await openExecutionStore({ ...(servers.database === undefined ? { dir: join(dir, 'execution') } : { url: servers.database }), migrate: true })
  const transport = createRedisTransport({ url: servers.redis, streamPrefix: `t${id}:events:` })
  const newSpooler = () =>
    createSpooler({ consumer: transport.consumer('test'), signals: transport.signals, writer: store.writer, dead: store.dead, log: silent })
  let spooler = newSpooler()
  spooler.start()
  const workers = new Set<TemporalWorker>()
  return {
    settings,
    server,
    store,
    transport,
    dir,
    stopSpooler: () => spooler.stop(5000),
    startSpooler() {
      spooler = newSpooler()
      spooler.start()
    },
    async startWorker(flows, options = {}) {
      const worker = await startTemporalWorker({ settings, store, transport, catalog: createCatalog(flows), cacheDir: CACHE, graceMs: 0, ...options })
      workers.add(worker)
      return worker
    },
    async until(fid, is) {
      const end = Date.now() + PATIENCE.timeout
      for (;;) {
        const run = await store.runs.get(fid)
        if (run && is(run)) return run
        if (Date.now() > end) throw new Error(`run ${fid} is ${run?.status}`)
        await delay(PATIENCE.interval)
      }
    },
    async close() {
      for (const worker of workers) await worker.close()
      await server.close()
      await spooler.stop(5000)
      await transport.close()
      await store.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** A temporal launcher with one worker, as the launchers' contract takes it. */
export function openTemporalUnderTest(servers: () => Promise<Servers>): OpenLauncher {
  return async (flows, idleMs): Promise<LauncherUnderTest> => {
    const rig = await openRig(await servers())
    const { contents, remove } = await folderContents()
    const start = () => rig.startWorker(flows, { limits: { idleMs }, contents })
    let worker = await start()
    const launcher = createTemporalLauncher(rig)
    return {
      launcher,
      store: rig.store,
      contents,
      restart: async () => {
        await worker.close()
        worker = await start()
        return launcher
      },
      close: async () => {
        await launcher.close(0)
        await rig.close()
        await remove()
      },
    }
  }
}
