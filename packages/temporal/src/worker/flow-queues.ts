import { Worker, type NativeConnection } from '@temporalio/worker'
import type { Flow } from '@koco/flow'
import type { ActivityDeps } from '../activities/deps.ts'
import { createActivities } from '../activities/index.ts'
import { activityQueue } from '../names.ts'
import { tryTuner, type TrySlots } from './slots.ts'

/** Open polls of one queue: when it is quiet one for each of the server's four partitions and one more. At first as many as the SDK has by default: a burst finds no partition without one. */
const POLLS = { type: 'autoscaling', minimum: 5, initial: 10, maximum: 10 } as const
/** How often the server hears of a try that is alive, and the try of a cancel. */
const HEARTBEAT_MS = 1500

/** What all queues of a worker share. */
export type QueueOptions = {
  readonly connection: NativeConnection
  readonly namespace: string
  readonly taskQueue: string
  readonly identity: string
  readonly deps: ActivityDeps
  readonly slots: TrySlots
  /** How long tries may go on after the shutdown began, in ms. */
  readonly graceMs: number
  /** Called with what ends a queue that should not end. */
  readonly onFailure: (error: unknown) => void
}

type Queue = { readonly worker: Worker; readonly ended: Promise<void> }

/** The queues of tries that a worker polls: one for each flow and version that it serves. */
export class FlowQueues {
  readonly #options: QueueOptions
  readonly #open = new Map<string, Queue>()
  #turn: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /** Polls the queues of exactly these flows from now on; tries under way on others come to their end. */
  serve(flows: readonly Flow[]): Promise<void> {
    this.#turn = this.#turn.then(() => this.#serve(flows))
    return this.#turn
  }

  /** Polls no more, from now on. */
  shutdown(): void {
    this.#closed = true
    for (const { worker } of this.#open.values()) stop(worker)
  }

  /** Polls no more and resolves when all tries have ended. */
  async close(): Promise<void> {
    this.shutdown()
    await this.#turn
    await Promise.all([...this.#open.keys()].map((name) => this.#drop(name)))
  }

  async #serve(flows: readonly Flow[]): Promise<void> {
    if (this.#closed) return
    const wanted = new Set(flows.map((flow) => activityQueue(this.#options.taskQueue, flow.name, flow.version)))
    for (const name of this.#open.keys()) if (!wanted.has(name)) void this.#drop(name)
    await Promise.all([...wanted].filter((name) => !this.#open.has(name)).map((name) => this.#add(name)))
  }

  async #add(name: string): Promise<void> {
    const { connection, namespace, identity, deps, slots, graceMs, onFailure } = this.#options
    const worker = await Worker.create({
      connection,
      namespace,
      identity,
      taskQueue: name,
      activities: createActivities(deps),
      tuner: tryTuner(slots),
      activityTaskPollerBehavior: POLLS,
      maxHeartbeatThrottleInterval: HEARTBEAT_MS,
      defaultHeartbeatThrottleInterval: HEARTBEAT_MS,
      shutdownGraceTime: graceMs,
    })
    const ended = worker.run().catch(onFailure)
    this.#open.set(name, { worker, ended })
  }

  #drop(name: string): Promise<void> {
    const queue = this.#open.get(name)
    this.#open.delete(name)
    if (!queue) return Promise.resolve()
    stop(queue.worker)
    return queue.ended
  }
}

/** Begins the shutdown of a worker that may have ended by itself. */
export function stop(worker: Worker): void {
  if (worker.getState() === 'RUNNING') worker.shutdown()
}
