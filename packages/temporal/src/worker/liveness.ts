import { ActivityNotFoundError, AsyncCompletionClient } from '@temporalio/client'
import type { NativeConnection } from '@temporalio/worker'
import { UnavailableError } from '@koco/core'
import type { LivenessBoard, LostWorker } from '@koco/transport'
import { tryAgain } from '../activities/failures.ts'
import type { TryTask } from '../activities/deps.ts'
import type { Log } from '../log.ts'

/** What a watch needs. */
export type LivenessOptions = {
  /** The worker that this process is. */
  readonly id: string
  readonly board: LivenessBoard
  readonly connection: NativeConnection
  readonly namespace: string
  readonly log: Log
}

const BEAT_MS = 1000
const LOOK_MS = 500
/** Who was told of a dead worker has so long to fail its tries before others are told. */
const CLAIM_MS = 2000
/** After so long the server's own timeouts must do. */
const GIVE_UP_MS = 30_000
const AT_ONCE = 16
const FAIL_MS = 2000

/**
 * Says on the board that this worker lives, and looks after those that have fallen silent: fails their tries, so that the server starts the next ones at once instead of after the heartbeat timeout. A
 * worker that was only slow is fenced by the epoch of the try that took its place.
 */
export class Liveness {
  readonly #options: LivenessOptions
  readonly #completion: AsyncCompletionClient
  /** Since when looks have come regularly. After a stall of ours or of Redis everybody looks dead for a moment. */
  #steadySince = Number.POSITIVE_INFINITY
  #lookedAt = Number.NEGATIVE_INFINITY
  /** The dead workers whose tries are being made anew: since when, and when they were last seen to. */
  readonly #silent = new Map<string, { readonly since: number; readonly at: number }>()
  #beater: NodeJS.Timeout | undefined
  #looker: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: LivenessOptions) {
    this.#options = options
    this.#completion = new AsyncCompletionClient({ connection: options.connection, namespace: options.namespace })
  }

  /** The board knows of this worker when it resolves. */
  async open(): Promise<void> {
    await this.#options.board.beat(this.#options.id)
    this.#beater = setInterval(() => this.#say(this.#options.board.beat(this.#options.id)), BEAT_MS)
    this.#lookLater()
  }

  /** Notes that this worker is at a try, or no longer. Without waiting: a note that is lost costs time only. */
  take(task: TryTask): void {
    this.#say(this.#options.board.take(this.#options.id, JSON.stringify(task)))
  }

  drop(task: TryTask): void {
    this.#say(this.#options.board.drop(this.#options.id, JSON.stringify(task)))
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#beater)
    clearTimeout(this.#looker)
    await this.#looking
    await this.#options.board.forget(this.#options.id).catch(orAway)
  }

  #say(note: Promise<void>): void {
    note.catch(orAway)
  }

  #lookLater(): void {
    if (this.#closed) return
    this.#looker = setTimeout(() => {
      this.#looking = this.#look().finally(() => this.#lookLater())
    }, LOOK_MS)
  }

  async #look(): Promise<void> {
    const { id, board, log } = this.#options
    const now = performance.now()
    if (now - this.#lookedAt > 2 * BEAT_MS) this.#steadySince = now
    try {
      const steady = now - this.#steadySince > board.lifeMs
      const lost = steady ? await board.lost(CLAIM_MS) : await board.beat(id).then(() => [])
      this.#lookedAt = performance.now()
      for (const worker of lost) await this.#takeUp(worker)
    } catch (error) {
      if (!(error instanceof UnavailableError)) log('warn', 'the tries of a dead worker could not be made anew now; it is tried again', error)
    }
  }

  /** Fails the tries of a silent worker, and again while nobody else has taken them: the server may have handed one to a poll that the dead left open. */
  async #takeUp({ worker, tasks }: LostWorker): Promise<void> {
    const { board, log } = this.#options
    const now = performance.now()
    const before = this.#silent.get(worker)
    const since = before !== undefined && now - before.at < 3 * CLAIM_MS ? before.since : now
    if (tasks.length === 0 || now - since > GIVE_UP_MS) {
      this.#silent.delete(worker)
      return board.forget(worker)
    }
    if (since === now) log('warn', `worker ${worker} says nothing any more: its ${tasks.length} tries are made anew`)
    this.#silent.set(worker, { since, at: now })
    const waiting = tasks.values()
    const lane = async (): Promise<void> => {
      for (const task of waiting) await this.#fail(worker, JSON.parse(task) as TryTask)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
  }

  async #fail(worker: string, { workflowId, runId, activityId }: TryTask): Promise<void> {
    try {
      const failure = tryAgain('worker_lost', `Worker ${worker} says nothing any more.`, 'once')
      await this.#options.connection.withDeadline(Date.now() + FAIL_MS, () => this.#completion.fail({ workflowId, runId, activityId }, failure))
    } catch (error) {
      // It had ended, and the dead worker could not say so; or nobody has it now.
      if (!(error instanceof ActivityNotFoundError)) throw error
    }
  }
}

/** The board is away: whatever was to be noted is found by the server's own timeouts. */
function orAway(error: unknown): void {
  if (!(error instanceof UnavailableError)) throw error
}
