import type { Context } from '@temporalio/activity'
import type { RunRequests } from '@koco/flow'
import type { ControlRequest } from '@koco/storage'
import type { ActivityDeps, TryTask } from './deps.ts'

/** Cancel and loss of the try reach it through heartbeats only: often enough for a cancel within 2 s. */
const HEARTBEAT_MS = 1500

/** What survives of a try into the next one of the same activity: a hole that nobody can fill. */
export type HeartbeatDetails = { readonly lost: { readonly from: string; readonly to: string } } | undefined

/**
 * Ties one try to the activity that it runs in: beats, lets a Temporal cancel count as a cancel of the run, and cuts the try when the server has given it up.
 */
export class TryLife implements Disposable {
  readonly requests: RunRequests
  readonly stopNow: AbortSignal
  readonly #context: Context
  readonly #timer: NodeJS.Timeout
  readonly #listeners = new Set<() => void>()
  readonly #end: () => void
  #cancelled = false
  /** Somebody asked, and waits for word that it was heard. */
  #asked = false

  constructor(context: Context, fid: string, deps: ActivityDeps) {
    this.#context = context
    const givenUp = new AbortController()
    this.stopNow = AbortSignal.any([givenUp.signal, deps.stopNow])
    this.#timer = setInterval(() => context.heartbeat(), HEARTBEAT_MS)
    context.cancellationSignal.addEventListener('abort', () => this.#onCancel(givenUp), { once: true })
    const { workflowExecution, activityId } = context.info
    const task: TryTask = { workflowId: workflowExecution?.workflowId ?? '', runId: workflowExecution?.runId ?? '', activityId }
    deps.liveness.take(task)
    this.#end = () => deps.liveness.drop(task)
    const wanted = async (): Promise<ControlRequest | undefined> => {
      const tell = this.#asked
      this.#asked = false
      const asked = await deps.store.runs.wanted(fid)
      // In a later turn: the try acts on it first.
      if (tell) setImmediate(() => void deps.transport.signals.publish([{ topic: 'heard', fid }]))
      if (!this.#cancelled || asked?.wanted === 'cancel') return asked
      return { wanted: 'cancel', by: 'temporal', reason: null, at: deps.clock.now() / 1000 }
    }
    this.requests = {
      wanted,
      answers: () => deps.store.locks.answers(fid),
      onChange: (listener) => {
        this.#listeners.add(listener)
        const end = deps.news.onControl(fid, () => {
          this.#asked = true
          listener()
        })
        return () => {
          this.#listeners.delete(listener)
          end()
        }
      },
    }
  }

  /** Leaves word for the next try of this activity. */
  leave(details: HeartbeatDetails): void {
    this.#context.heartbeat(details)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#end()
  }

  // A worker that shuts down lets go by its own signals; what is left is a cancel of the run, or a server that counts this try as over.
  #onCancel(givenUp: AbortController): void {
    const details = this.#context.cancellationDetails
    if (details?.cancelRequested) {
      this.#cancelled = true
      for (const listener of this.#listeners) listener()
    } else if (!details?.workerShutdown) givenUp.abort()
  }
}
