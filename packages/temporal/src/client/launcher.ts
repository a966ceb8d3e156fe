import { randomBytes } from 'node:crypto'
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client'
import { isEnded, newFid, ORIGIN, UnavailableError, type Json, type RunState, type RunStatus } from '@koco/core'
import {
  answerLock,
  checkAnswer,
  invalidInputs,
  newRun,
  orUnavailable,
  systemClock,
  unknownFlow,
  type AnswerOutcome,
  type Clock,
  type ControlOutcome,
  type Launcher,
  type RunProcess,
  type StartRun,
} from '@koco/flow'
import type { ControlRequest, ExecutionStore, FlowEntry } from '@koco/storage'
import type { Transport } from '@koco/transport'
import type { Log } from '../log.ts'
import { SIGNALS, type ControlSignal } from '../names.ts'
import type { ChildStarts } from './child-starts.ts'
import { ServedFlows } from './served-flows.ts'
import type { TemporalServer } from './server.ts'
import { WorkflowStarter } from './start-workflow.ts'
import { WorkerStarts } from './worker-starts.ts'

/** What the temporal launcher needs. It opens none of it, and closes none. */
export type TemporalLauncherOptions = {
  readonly server: TemporalServer
  readonly store: ExecutionStore
  readonly transport: Pick<Transport, 'streams' | 'signals' | 'handover'>
  /** Default: the machine's. */
  readonly clock?: Clock
  /** Bytes of chance for run ids; default: the system's. */
  readonly randomBytes?: (count: number) => Uint8Array
  /** Workflows continue as new above so many history events; default 8,000. */
  readonly historyMax?: number
  /** For workers: what a run starts becomes a child workflow of its own. */
  readonly childStarts?: ChildStarts
  readonly log?: Log
}

/** How long a retry waits for the closing of the run's workflow, and for its first event. */
const RETRY_WAIT_MS = 5000
const LOOK_MS = 25
/** How long a request waits for the try's word that it was heard: then a step border is held also right after. A worker that is busy or dead takes longer; the request stands all the same. */
const HEARD_MS = 1000
/** What could not be told to Temporal is told again after this. */
const AGAIN_MS = 2000

/** A launcher whose runs are workflows of Temporal; tries are made by `koco temporal-worker`. Needs no flow's code: it goes by what workers registered. */
export function createTemporalLauncher(options: TemporalLauncherOptions): Launcher {
  return new TemporalLauncher(options)
}

class TemporalLauncher implements Launcher {
  readonly name = 'temporal'
  readonly #server: TemporalServer
  readonly #store: ExecutionStore
  readonly #transport: Pick<Transport, 'streams' | 'signals'>
  readonly #clock: Clock
  readonly #randomBytes: (count: number) => Uint8Array
  readonly #log: Log
  readonly #flows: ServedFlows
  readonly #starter: WorkflowStarter
  /** Runs with accepted answers of which their workflow has not been told. */
  readonly #untold = new Map<string, string>()
  #teller: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: TemporalLauncherOptions) {
    this.#server = options.server
    this.#store = options.store
    this.#transport = options.transport
    this.#clock = options.clock ?? systemClock
    this.#randomBytes = options.randomBytes ?? randomBytes
    this.#log = options.log ?? (() => undefined)
    this.#flows = new ServedFlows(options.store.flows, this.#clock)
    const workers = new WorkerStarts(options.transport.handover, this.#flows, this.#clock)
    this.#starter = new WorkflowStarter(options.server, { historyMax: options.historyMax ?? 8000, workers, children: options.childStarts })
  }

  async start(start: StartRun): Promise<{ readonly fid: string; readonly created: boolean }> {
    if (this.#closed) throw new UnavailableError('The server is stopping. Try again in a moment.', { code: 'stopping' })
    const flow = await this.#flows.get(start.flow)
    if (!flow) throw unknownFlow(start.flow, await this.#flows.names())
    const checked = checkAnswer(flow.inputs, start.inputs)
    if (!checked.ok) throw invalidInputs(flow.name, checked.fields)
    const fid = start.fid ?? newFid(this.#clock.now(), this.#randomBytes(8))
    const run = newRun(fid, flow, start, this.#clock.now())
    // With a key the run may exist already; else row and stream are made side by side. A stream that failed is made by the try.
    const [{ fid: first, created }] = await Promise.all([
      this.#store.runs.create({ ...run, launcher: this.name, idempotencyKey: start.idempotencyKey }),
      start.idempotencyKey === null ? this.#transport.streams.create(fid, ORIGIN).catch(orUnavailable) : undefined,
    ])
    if (!created) {
      await this.#startAgain(first)
      return { fid: first, created }
    }
    if (start.idempotencyKey !== null) await this.#transport.streams.create(fid, ORIGIN).catch(orUnavailable)
    await this.#starter.start({ fid, flow: flow.name, version: flow.version, user: start.user, reason: 'start', parent: run.parent })
    return { fid, created: true }
  }

  pause(fid: string, by: string, reason?: string): Promise<ControlOutcome> {
    return this.#request(fid, { wanted: 'pause', by, reason: reason ?? null }, (handle) => handle.signal(SIGNALS.pause, recorded(by)))
  }

  resume(fid: string, by: string): Promise<ControlOutcome> {
    return this.#request(fid, { wanted: 'run', by, reason: null }, (handle) => handle.signal(SIGNALS.resume, recorded(by)))
  }

  /** The request is stored first, so that whoever writes the run's end knows whose it was; the try hears of it last, so that Temporal counts the run as cancelled. */
  cancel(fid: string, by: string, reason?: string): Promise<ControlOutcome> {
    return this.#request(fid, { wanted: 'cancel', by, reason: reason ?? null }, (handle) => handle.cancel())
  }

  async mustServe(flow: string): Promise<void> {
    await this.#newest(flow)
  }

  async retry(fid: string, by: string): Promise<{ readonly outcome: 'accepted' } | { readonly outcome: 'live' | 'unknown' }> {
    const run = await this.#run(fid)
    if (!run) return { outcome: 'unknown' }
    if (!isEnded(run.status)) return { outcome: 'live' }
    const flow = await this.#newest(run.flow)
    await this.#store.runs.request(fid, { wanted: 'run', by, reason: null, at: this.#clock.now() / 1000 })
    const deadline = performance.now() + RETRY_WAIT_MS
    for (;;) {
      // The store knows of the run's end a moment before Temporal does.
      const started = await this.#starter.start({ fid, flow: run.flow, version: flow.version, user: run.user, reason: 'retry', parent: run.parent })
      if (started) break
      if (performance.now() > deadline) return { outcome: 'live' }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
    await this.#untilBegun(run, deadline)
    return { outcome: 'accepted' }
  }

  async answer(fid: string, lid: string, answer: Json, by: string, reason?: string): Promise<AnswerOutcome> {
    const outcome = await answerLock(this.#store, this.#clock, { fid, lid, answer, by, reason })
    // Whoever repeats an answer may be repeating one that was accepted while Temporal was away.
    if (outcome.outcome === 'accepted' || outcome.outcome === 'answered') await this.#wake(fid, lid)
    return outcome
  }

  async describe(fid: string): Promise<RunProcess> {
    try {
      const described = await this.#server.call('describe a run', (client) => client.workflow.getHandle(this.#starter.workflowId(fid)).describe())
      const activity = described.raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'executeAgent')
      if (!activity) return { executing: false, where: null }
      if (Number(activity.state) !== SCHEDULED) return { executing: true, where: activity.lastWorkerIdentity ?? null }
      return { executing: false, where: null, waitsFor: await this.#waitsFor(fid) }
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { executing: false, where: null }
      throw error
    }
  }

  async #waitsFor(fid: string): Promise<string> {
    const run = await this.#store.runs.get(fid)
    const version = run?.version ?? null
    return `a free worker that serves flow "${run?.flow}"${version === null ? '' : ` in version ${version}`} (koco temporal-worker)`
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#teller)
  }

  async #newest(name: string): Promise<FlowEntry> {
    const flow = await this.#flows.newest(name)
    if (!flow) throw unknownFlow(name, await this.#flows.names())
    return flow
  }

  async #run(fid: string): Promise<RunState | undefined> {
    const run = await this.#store.runs.get(fid)
    return run?.launcher === this.name ? run : undefined
  }

  /** A run that was created before may be one that Temporal was never told of: it is started now; else nothing happens. */
  async #startAgain(fid: string): Promise<void> {
    const run = await this.#run(fid)
    if (!run || run.status !== 'starting') return
    await this.#transport.streams.create(fid, ORIGIN).catch(orUnavailable)
    await this.#starter.start({ fid, flow: run.flow, version: run.version, user: run.user, reason: 'start', parent: run.parent })
  }

  async #request(fid: string, wish: Pick<ControlRequest, 'wanted' | 'by' | 'reason'>, tell: (handle: Handle) => Promise<unknown>): Promise<ControlOutcome> {
    const run = await this.#run(fid)
    if (!run) return { outcome: 'unknown' }
    if (isEnded(run.status)) return { outcome: 'ended', status: run.status }
    await this.#store.runs.request(fid, { ...wish, at: this.#clock.now() / 1000 })
    using heard = AT_WORK.has(run.status) ? await this.#listen(fid) : undefined
    await this.#server
      .call(`${wish.wanted === 'run' ? 'resume' : wish.wanted} a run`, (client) => tell(client.workflow.getHandle(this.#starter.workflowId(fid))))
      .catch(orGone)
    await this.#transport.signals.publish([{ topic: 'control', fid }])
    await heard?.within(HEARD_MS)
    return { outcome: 'accepted' }
  }

  /** Listens for the try's word that it acts on what was asked. */
  async #listen(fid: string): Promise<Disposable & { within(ms: number): Promise<void> }> {
    const heard = Promise.withResolvers<void>()
    const end = await this.#transport.signals.subscribe('heard', fid, () => heard.resolve())
    return {
      async within(ms) {
        const timer = setTimeout(heard.resolve, ms)
        await heard.promise
        clearTimeout(timer)
      },
      [Symbol.dispose]: end,
    }
  }

  /** Resolves when the retry is on record, or when that takes long: no worker serves the flow now. */
  async #untilBegun(before: RunState, deadline: number): Promise<void> {
    for (;;) {
      const run = await this.#store.runs.get(before.fid)
      if (!run || run.lastPosition.epoch > before.lastPosition.epoch || performance.now() > deadline) return
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  async #wake(fid: string, lid: string): Promise<void> {
    await this.#transport.signals.publish([{ topic: 'control', fid }])
    try {
      await this.#server.call('wake a run', (client) => client.workflow.getHandle(this.#starter.workflowId(fid)).signal(SIGNALS.wake, lid)).catch(orGone)
      this.#untold.delete(fid)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      this.#untold.set(fid, lid)
      this.#log('warn', `an answer to run ${fid} is stored, but Temporal could not be told; it will be`, error)
      this.#tellLater()
    }
  }

  #tellLater(): void {
    if (this.#closed || this.#teller !== undefined) return
    this.#teller = setTimeout(() => {
      this.#teller = undefined
      const [next] = this.#untold
      if (next)
        this.#wake(next[0], next[1]).then(
          () => this.#untold.size > 0 && this.#tellLater(),
          (error: unknown) => this.#log('error', `run ${next[0]} could not be told of an answer`, error),
        )
    }, AGAIN_MS)
  }
}

/** Statuses in which a try may be at work, as far as the store knows. */
const AT_WORK: ReadonlySet<RunStatus> = new Set(['starting', 'running'])

type Handle = ReturnType<TemporalServer['client']['workflow']['getHandle']>

/** `temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED` */
const SCHEDULED = 1

function recorded(by: string): ControlSignal {
  return { by, recorded: true }
}

/** The workflow is over, or was never started: the store has the request, and its end is near or there. */
function orGone(error: unknown): void {
  if (!(error instanceof WorkflowNotFoundError) && !(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
}
