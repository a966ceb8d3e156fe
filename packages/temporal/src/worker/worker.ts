import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { hostname } from 'node:os'
import { setTimeout as setTimeoutPromise } from 'node:timers/promises'
import { NativeConnection, Worker } from '@temporalio/worker'
import { KocoError, UnavailableError } from '@koco/core'
import { defaultLimits, storedBudgets, systemClock, type Catalog, type Clock, type Contents, type FileStore, type TryLimits, type Workspaces } from '@koco/flow'
import type { ExecutionStore } from '@koco/storage'
import type { Transport } from '@koco/transport'
import type { ActivityDeps } from '../activities/deps.ts'
import { createActivities } from '../activities/index.ts'
import { RunNews } from '../activities/run-news.ts'
import { ChildStarts } from '../client/child-starts.ts'
import { createTemporalLauncher } from '../client/launcher.ts'
import { sdkTls, TemporalServer, type TemporalSettings } from '../client/server.ts'
import type { Log } from '../log.ts'
import { workflowBundle } from './bundle.ts'
import { serveStarts } from './eager-starts.ts'
import { FlowQueues, stop } from './flow-queues.ts'
import { Liveness } from './liveness.ts'
import { Registration } from './registration.ts'
import { figuresAt, installRuntime } from './runtime.ts'
import { TrySlots, workflowTuner } from './slots.ts'

/** What a worker needs. It opens and closes neither store nor transport. */
export type TemporalWorkerOptions = {
  readonly settings: TemporalSettings
  readonly store: ExecutionStore
  readonly transport: Transport
  /** The flows that it serves; may change. */
  readonly catalog: Catalog
  /** Where the workflow bundle is kept. */
  readonly cacheDir: string
  /** Tries at the same time; default 200. */
  readonly slots?: number
  /** How long tries may go on when the worker is asked to stop, in ms; default 20,000. */
  readonly graceMs?: number
  readonly limits?: Partial<TryLimits>
  /** Where the files of runs are; default nowhere. */
  readonly files?: FileStore | undefined
  /** Where programs run; default nowhere. */
  readonly workspaces?: Workspaces | undefined
  /** Where large results of steps lie, the same place for all workers; without it they stay in their events. */
  readonly contents?: Contents | undefined
  readonly clock?: Clock
  /** Whether the SDK counts what it does, for `sdkFigures`; the first worker of a process decides. Default false. */
  readonly withFigures?: boolean
  readonly log?: Log
}

/** A running worker: makes tries of its flows, and runs the workflows of all runs. */
export interface TemporalWorker {
  readonly id: string
  /** Tries at work now. */
  readonly tries: number
  /** Rejects when the worker cannot go on; resolves at its orderly end. */
  readonly ended: Promise<void>
  /** The SDK's own figures in the text format of Prometheus; none unless they were asked for. */
  sdkFigures(): Promise<string>
  /** Takes no further try, lets those at work come to a step border within the grace time, hands the rest on. */
  close(): Promise<void>
}

/** Workflows kept in memory; others are rebuilt from their history, which is short, when something happens to them. Each costs about 0.5 MB, and a run that waits for a person needs none; with fewer than runs that are in flight they push each other out. */
const CACHED_WORKFLOWS = 60
/**
 * Open polls for workflow tasks. Half are for runs that no worker has in memory: those that wake, and those that nobody could start eagerly. By the SDK's default two polls were all that took these. The server
 * deals a queue out to four partitions and hands a task on from one that nobody polls only ten times a second: with ten of these polls, bursts of 50 runs went at 30 a second as often as at 50, both cores half
 * idle. The other half is for the runs that this worker has: with fifteen of sixty, nine of ten of their tasks found no poll open in a burst and went through the server's database.
 */
const WORKFLOW_POLLS = 60
const NEW_POLLS = 0.5
/** How long the next workflow task of a run waits for the worker that has it in memory, before any other takes it. */
const STICKY_MS = 2000
/** A force after the grace, for a flow that blocks the process. */
const FORCE_MS = 5000
/** How long the tries of a worker that stops wait for the end of its workflows. Usually that is there in some ms; bookkeeping under way may take longer. */
const HAND_ON_MS = 1000

/** Starts a worker. UnavailableError when Temporal, the store or the transport do not answer. */
export async function startTemporalWorker(options: TemporalWorkerOptions): Promise<TemporalWorker> {
  const log = options.log ?? (() => undefined)
  const figures = await installRuntime(log, options.withFigures ?? false)
  const worker = new RunningWorker(options, log, figures)
  try {
    await worker.open()
    return worker
  } catch (error) {
    await worker.close()
    throw error
  }
}

class RunningWorker implements TemporalWorker {
  readonly id = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`
  readonly ended: Promise<void>
  readonly #options: TemporalWorkerOptions
  readonly #log: Log
  readonly #figures: string | null
  readonly #slots: TrySlots
  readonly #news = new RunNews()
  readonly #stop = new AbortController()
  readonly #stopNow = new AbortController()
  readonly #end = Promise.withResolvers<void>()
  readonly #opened: (() => unknown)[] = []
  #queues: FlowQueues | undefined
  #endWorkflows: () => Promise<void> = () => Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(options: TemporalWorkerOptions, log: Log, figures: string | null) {
    this.#options = options
    this.#log = log
    this.#figures = figures
    this.#slots = new TrySlots(options.slots ?? 200)
    this.ended = this.#end.promise
    // Whoever does not look at the end of a worker must not be ended by it.
    this.ended.catch(() => undefined)
    setMaxListeners(0, this.#stop.signal, this.#stopNow.signal)
  }

  get tries(): number {
    return this.#slots.used
  }

  sdkFigures(): Promise<string> {
    return figuresAt(this.#figures)
  }

  async open(): Promise<void> {
    const { settings, store, transport, catalog, cacheDir } = this.#options
    const [connection, bundle] = await Promise.all([connect(settings), workflowBundle(cacheDir, this.#log)])
    this.#opened.push(() => connection.close())
    await this.#news.open(transport.signals)
    this.#opened.push(() => this.#news.close())
    const liveness = new Liveness({ id: this.id, board: transport.liveness, connection, namespace: settings.namespace, log: this.#log })
    await liveness.open()
    this.#opened.push(() => liveness.close())
    const server = new TemporalServer(settings)
    this.#opened.push(() => server.close())
    const childStarts = new ChildStarts(server, this.#log)
    this.#opened.push(() => childStarts.close())
    const deps = this.#deps(liveness, server, childStarts)
    const queues = this.#openQueues(connection, deps)
    this.#queues = queues
    const workflows = await this.#runWorkflows(connection, bundle, deps)
    this.#opened.push(() => queues.close())
    this.#opened.push(workflows)
    this.#endWorkflows = workflows
    await queues.serve(catalog.list())
    this.#opened.push(await this.#serveStarts(connection))
    const registration = new Registration({ id: this.id, flows: store.flows, catalog, clock: deps.clock, log: this.#log })
    await registration.open()
    this.#opened.push(() => registration.close())
    this.#opened.push(catalog.onChange(() => void queues.serve(catalog.list()).catch((error: unknown) => this.#failed(error))))
  }

  /** Without it launchers start the runs themselves. */
  async #serveStarts(connection: NativeConnection): Promise<() => void> {
    const { settings, transport } = this.#options
    try {
      return await serveStarts({ id: this.id, handover: transport.handover, connection, settings })
    } catch (error) {
      this.#log('warn', 'this worker cannot be asked to start runs; they are started a little slower', error)
      return () => undefined
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close().then(() => this.#end.resolve())
    return this.#closing
  }

  async #close(): Promise<void> {
    const timer = setTimeout(() => this.#stopNow.abort(), this.#graceMs)
    // First no more polls: what the tries let go of must not come back here.
    this.#queues?.shutdown()
    // The server learns that this worker has its workflows no more: the tasks that hand on what the tries let go of must not wait for it.
    await Promise.race([this.#endWorkflows(), setTimeoutPromise(HAND_ON_MS, undefined, { ref: false })])
    this.#stop.abort()
    try {
      for (const close of this.#opened.splice(0).toReversed()) await close()
    } finally {
      clearTimeout(timer)
    }
  }

  get #graceMs(): number {
    return this.#options.graceMs ?? 20_000
  }

  #failed(error: unknown): void {
    this.#log('error', 'the worker cannot go on', error)
    this.#end.reject(error)
  }

  #deps(liveness: Liveness, server: TemporalServer, childStarts: ChildStarts): ActivityDeps {
    const { store, transport, catalog, limits, clock } = this.#options
    return {
      store,
      transport,
      catalog,
      taskQueue: this.#options.settings.taskQueue,
      childStarts,
      launcher: createTemporalLauncher({ server, store, transport, childStarts, log: this.#log }),
      cancelWorkflow: (workflowId, runId) => server.call('cancel a run', (client) => client.workflow.getHandle(workflowId, runId).cancel()),
      news: this.#news,
      liveness,
      clock: clock ?? systemClock,
      budgets: storedBudgets(store, clock ?? systemClock),
      owner: this.id,
      files: this.#options.files,
      workspaces: this.#options.workspaces,
      contents: this.#options.contents,
      limits: { ...defaultLimits, ...limits },
      log: this.#log,
      stop: this.#stop.signal,
      stopNow: this.#stopNow.signal,
    }
  }

  #openQueues(connection: NativeConnection, deps: ActivityDeps): FlowQueues {
    const { namespace, taskQueue } = this.#options.settings
    const onFailure = (error: unknown): void => this.#failed(error)
    return new FlowQueues({ connection, namespace, taskQueue, identity: this.id, deps, slots: this.#slots, graceMs: this.#graceMs + FORCE_MS, onFailure })
  }

  async #runWorkflows(connection: NativeConnection, bundle: string, deps: ActivityDeps): Promise<() => Promise<void>> {
    const { namespace, taskQueue } = this.#options.settings
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue,
      identity: this.id,
      workflowBundle: { codePath: bundle },
      activities: createActivities(deps),
      tuner: workflowTuner(),
      maxCachedWorkflows: CACHED_WORKFLOWS,
      maxConcurrentWorkflowTaskPolls: WORKFLOW_POLLS,
      nonStickyToStickyPollRatio: NEW_POLLS,
      stickyQueueScheduleToStartTimeout: STICKY_MS,
      shutdownGraceTime: this.#graceMs,
    })
    const ended = worker.run().catch((error: unknown) => this.#failed(error))
    return () => {
      stop(worker)
      return ended
    }
  }
}

/** By way of a client first, which tells apart a server that is away, one that lacks the namespace and one that refuses. */
async function connect(settings: TemporalSettings): Promise<NativeConnection> {
  const { address, namespace } = settings
  const server = new TemporalServer(settings)
  try {
    await server.call('let a worker in', ({ workflowService }) => workflowService.describeNamespace({ namespace }))
    return await NativeConnection.connect({ address, ...sdkTls(settings) })
  } catch (error) {
    if (error instanceof KocoError && error.code !== 'temporal_unavailable') throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new UnavailableError(`${reason} For development start one with \`temporal server start-dev\`.`, { code: 'temporal_unavailable', cause: error })
  } finally {
    await server.close()
  }
}
