import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { comparePositions, decodeEvent, isEnded, UnavailableError, type EventRecord, type RunState } from '@koco/core'
import { flowEntry, type Launcher } from '@koco/flow'
import type { ExecutionStore } from '@koco/storage'
import type { Transport } from '@koco/transport'
import type { TemporalServer } from '@koco/temporal'
import { adminPlace, openExecution } from '../compose/stores.ts'
import { temporalPlace } from '../compose/temporal.ts'
import { openTransport } from '../compose/transport.ts'
import type { Settings } from '../settings/schema.ts'
import { settingsEnv } from '../settings/to-env.ts'
import { readAcknowledged } from './acknowledged.ts'
import { drillFlow } from './flow.ts'
import { openLinks, type Links, type RestartCommands } from './links.ts'
import { startProcess, type DrillProcess } from './process.ts'
import { readTimeline } from './verdict.ts'

/** A waiting drill that sees nothing happen for so long has failed. */
const PATIENCE_MS = 120_000
const LOOK_MS = 50
const STOP_MS = 10_000
/** Whose runs drills are. */
const USER = 'drill'

/** What a world is made of. `opened` takes what is to be closed, last first. */
export type WorldOptions = {
  readonly settings: Settings
  readonly cwd: string
  readonly commands: RestartCommands
  readonly signal: AbortSignal
  readonly opened: (() => Promise<unknown>)[]
}

/** What drills have to do with: the configured servers, processes of their own, and nothing of the installation's. Streams and queues are apart from the installation's, so that neither serves the other. */
export class World {
  readonly settings: Settings
  readonly store: ExecutionStore
  readonly transport: Transport
  readonly launcher: Launcher
  readonly temporal: TemporalServer
  readonly links: Links
  readonly #dir: string
  readonly #env: Readonly<Record<string, string>>
  readonly #signal: AbortSignal
  readonly #processes = new Set<DrillProcess>()
  readonly #acknowledged: string[] = []
  readonly #runs: string[] = []
  #spooler: DrillProcess | undefined

  private constructor(
    parts: Pick<World, 'settings' | 'store' | 'transport' | 'launcher' | 'temporal' | 'links'> & {
      dir: string
      env: Record<string, string>
      signal: AbortSignal
    },
  ) {
    this.settings = parts.settings
    this.store = parts.store
    this.transport = parts.transport
    this.launcher = parts.launcher
    this.temporal = parts.temporal
    this.links = parts.links
    this.#dir = parts.dir
    this.#env = parts.env
    this.#signal = parts.signal
  }

  /** Opens everything and starts a spooler. UnavailableError when a server does not answer. */
  static async open({ settings: given, cwd, commands, signal, opened }: WorldOptions): Promise<World> {
    const settings = apart(given)
    const dir = await mkdtemp(join(tmpdir(), 'koco-drill-'))
    opened.push(() => rm(dir, { recursive: true, force: true }))
    const store = { ...(await openExecution(settings, cwd)), flows: onlyDrill }
    opened.push(() => store.close())
    await store.check()
    const transport = await openTransport(settings)
    opened.push(() => transport.close())
    const { checkTemporal, createTemporalLauncher, TemporalServer: Server } = await import('@koco/temporal')
    await checkTemporal(temporalPlace(settings))
    const temporal = new Server(temporalPlace(settings))
    opened.push(() => temporal.close())
    const launcher = createTemporalLauncher({ server: temporal, store, transport })
    opened.push(() => launcher.close(0))
    const links = await openLinks(settings, commands)
    opened.push(() => links.close())
    const absolute = { adminDatabase: adminPlace(settings, cwd).url, execDir: resolve(cwd, settings.execDir), uploadDir: resolve(cwd, settings.uploadDir) }
    const env = settingsEnv(settings, {
      ...absolute,
      ...links.settings,
      spoolerName: `drill-${process.pid}`,
      metrics: null,
      flows: null,
      logFormat: 'json',
      logLevel: 'info',
    })
    const world = new World({ settings, store, transport, launcher, temporal, links, dir, env, signal })
    opened.push(() => world.clear().then(() => world.#endProcesses()))
    world.#spooler = world.#start(['spool', '--block'])
    return world
  }

  /** Starts a worker of the drill's flow; resolves when it lives on the board. */
  async startWorker(): Promise<DrillProcess> {
    const file = join(this.#dir, `acknowledged-${this.#acknowledged.length}.jsonl`)
    this.#acknowledged.push(file)
    await writeFile(file, '')
    const worker = this.#start(['drill', '--as-worker', file])
    await this.until('a worker to start', async () => {
      worker.mustLive()
      return (await this.transport.liveness.workers()).some((one) => one.worker.includes(`/${worker.pid}/`))
    })
    return worker
  }

  /** Ends the spooler, and starts another when `meanwhile` is over. */
  async restartSpooler(signal: 'SIGKILL' | 'SIGTERM', meanwhile: () => Promise<void>): Promise<void> {
    await this.#spooler?.signal(signal)
    try {
      await meanwhile()
    } finally {
      this.#spooler = this.#start(['spool', '--block'])
    }
  }

  /** Starts a run of the drill's flow and resolves when so many of its steps have finished. */
  async startRun(inputs: { readonly steps: number; readonly stepMs: number; readonly asks?: boolean }, finishedSteps: number): Promise<string> {
    const { fid } = await this.launcher.start({ flow: drillFlow.name, inputs: { asks: false, ...inputs }, user: USER, idempotencyKey: null })
    this.#runs.push(fid)
    await this.untilSteps(fid, finishedSteps)
    return fid
  }

  untilSteps(fid: string, count: number): Promise<unknown> {
    return this.until(`${count} steps of run ${fid}`, async () => (await this.finishedSteps(fid)) >= count)
  }

  async finishedSteps(fid: string): Promise<number> {
    const timeline = await readTimeline(this.store.reader, fid)
    return timeline.filter((record) => phaseOf(fid, record) === 'finished').length
  }

  /** Waits for the first step of a later try; gives the unix seconds at which it came, and whose it is. */
  async nextTry(fid: string, afterEpoch: number): Promise<{ readonly at: number; readonly owner: string }> {
    return this.until(`the next try of run ${fid}`, async () => {
      const later = (await readTimeline(this.store.reader, fid)).filter(({ epoch }) => epoch > afterEpoch)
      const first = later.map((record) => decodeEvent(fid, record)).find((event) => event?.kind === 'attempt')
      const step = later.find((record) => phaseOf(fid, record) !== undefined)
      return step && first?.kind === 'attempt' && { at: step.ts, owner: first.data.owner }
    })
  }

  /** The worker that makes the last try of a run. */
  async ownerOf(fid: string): Promise<string> {
    const events = (await readTimeline(this.store.reader, fid)).map((record) => decodeEvent(fid, record))
    const last = events.findLast((event) => event?.kind === 'attempt')
    return last?.kind === 'attempt' ? last.data.owner : ''
  }

  async untilStatus(fid: string, status: RunState['status']): Promise<RunState> {
    return this.until(`run ${fid} to be ${status}`, async () => {
      const run = await this.run(fid)
      if (isEnded(run.status) && run.status !== status)
        throw new UnavailableError(`Run ${fid} ended as ${run.status}, not as ${status}.`, { code: 'drill_end' })
      return run.status === status && run
    })
  }

  async run(fid: string): Promise<RunState> {
    const run = await this.store.runs.get(fid)
    if (!run) throw new UnavailableError(`Run ${fid} is not in the store.`, { code: 'unknown_run' })
    return run
  }

  workflowId(fid: string): string {
    return `${this.settings.temporalWorkflowIdPrefix}${fid}`
  }

  /** What workers were told is in the stream. */
  acknowledged(fid: string): EventRecord[] {
    return readAcknowledged(this.#acknowledged, fid)
  }

  /** True when the store has all that the workers were told is in the stream. */
  async isStored(fid: string): Promise<boolean> {
    const { lastPosition } = await this.run(fid)
    return this.acknowledged(fid).every((record) => comparePositions(record, lastPosition) <= 0)
  }

  /** Looks again and again until there is an answer; UnavailableError names what was waited for. */
  async until<T>(what: string, look: () => Promise<T | false | undefined>): Promise<T> {
    for (const deadline = performance.now() + PATIENCE_MS; ; await delay(LOOK_MS)) {
      this.#signal.throwIfAborted()
      const found = await look()
      if (found !== false && found !== undefined) return found
      if (performance.now() > deadline) throw new UnavailableError(`Waited ${PATIENCE_MS / 1000} s for ${what}.`, { code: 'drill_waited' })
    }
  }

  /** Ends the workers that are left and hides the runs of the last drill from lists; one that is not over is cancelled first. */
  async clear(): Promise<void> {
    const workers = [...this.#processes].filter((child) => child !== this.#spooler)
    try {
      for (const fid of this.#runs.splice(0)) {
        if (!isEnded((await this.run(fid)).status)) await this.launcher.cancel(fid, USER, 'the drill is over')
        await this.store.runs.archive(fid, true)
      }
    } finally {
      await Promise.all(workers.map((child) => child.signal('SIGKILL')))
    }
  }

  #start(args: readonly string[]): DrillProcess {
    const child = startProcess(args, { env: this.#env, dir: this.#dir, log: join(this.#dir, `${args[0]}.log`) })
    this.#processes.add(child)
    return child
  }

  /** The spooler in order, so that it gives its name back. */
  async #endProcesses(): Promise<void> {
    await Promise.race([this.#spooler?.signal('SIGTERM'), delay(STOP_MS, undefined, { ref: false })])
    await Promise.all([...this.#processes].map((child) => child.signal('SIGKILL')))
  }
}

/** The flows as launchers of the drill see them: its own, which is not listed for others. */
export const onlyDrill: ExecutionStore['flows'] = {
  heartbeat: () => Promise.resolve(),
  leave: () => Promise.resolve(),
  list: () => Promise.resolve([{ ...flowEntry(drillFlow), workers: [] }]),
}

/** The same servers, with names of streams and queues of its own. */
function apart(settings: Settings): Settings {
  const { redisStreamPrefix, temporalTaskQueue } = settings
  return { ...settings, redisStreamPrefix: `${redisStreamPrefix.replace(/events:$/, '')}drill:events:`, temporalTaskQueue: `${temporalTaskQueue}-drill` }
}

function phaseOf(fid: string, record: EventRecord): string | undefined {
  const event = record.kind === 'step' ? decodeEvent(fid, record) : undefined
  return event?.kind === 'step' ? event.data.phase : undefined
}
