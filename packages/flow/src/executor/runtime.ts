import { setMaxListeners } from 'node:events'
import { FencedError, ORIGIN, UnavailableError, type EventData, type EventKind, type Position } from '@koco/core'
import type { ControlRequest } from '@koco/storage'
import { Activity, type Wait } from './activity.ts'
import { ChildWatch } from './child-watch.ts'
import { Deltas } from './deltas.ts'
import { currentFrame, type Frame, type FrameOwner } from './frame.ts'
import { noGuard, type StepGuard } from './guard.ts'
import { Journal } from './journal.ts'
import { Names } from './names.ts'
import { Outbox } from './outbox.ts'
import { PendingCalls } from './pending.ts'
import { Requests } from './requests.ts'
import { Slots } from './slots.ts'
import type { TryDeps, TryOutcome } from './try.ts'

/** Why a run is being ended from outside, with what its function is told. */
export type Unwinding = { readonly to: 'cancelled' | 'timed_out'; readonly reason: Error; readonly by: string; readonly note: string | null }

const PRINT_CHARS_MAX = 64 * 1024

/**
 * The state of one try that all parts of the context share.
 *
 *   open ──▶ unwinding ──▶ closed      open: calls work. unwinding (cancel, time limit): waits and new steps throw, emissions still go out.
 *     └────────────────────▲           closed: nothing more is written, and calls never settle: the function is left where it stands.
 */
export class Runtime implements FrameOwner {
  readonly deps: TryDeps
  readonly journal: Journal
  readonly activity: Activity
  readonly slots: Slots
  readonly deltas: Deltas
  readonly requests: Requests
  readonly children: ChildWatch
  /** Whether the run may go on at a step border. */
  guard: StepGuard = noGuard
  /** Cancels the run as people do. */
  readonly cancelBy: (by: string, reason: string) => void
  /** Ids of journaled steps that the function asked for. */
  readonly asked = new Set<string>()
  /** Ids of the steps that were asked for and are not over. */
  readonly openSteps = new Set<string>()
  /** Resolves when the try ended in another way than by its function. */
  readonly interrupted: Promise<TryOutcome>
  readonly #interrupt: (outcome: TryOutcome) => void
  readonly #break: (error: unknown) => void
  readonly #root: Frame
  readonly #controller = new AbortController()
  readonly #pending = new PendingCalls()
  readonly #outbox: Outbox
  readonly #listeners = new Set<() => void>()
  readonly #releases = new Set<() => void>()
  readonly #closers = new Set<() => void>()
  #pausing: ControlRequest | undefined
  #phase: 'open' | 'unwinding' | 'closed' = 'open'
  #unwinding: Unwinding | undefined

  /** `onIdle` as of Activity; `apply` as of Requests. */
  constructor(deps: TryDeps, onIdle: () => void, apply: (control: ControlRequest | undefined) => void) {
    this.deps = deps
    this.journal = new Journal(deps.limits.journalBytes)
    this.activity = new Activity(deps.clock, deps.limits.idleMs, onIdle)
    this.#outbox = new Outbox(deps)
    this.slots = new Slots(deps.limits.stepsAtOnce)
    this.deltas = new Deltas(deps.run.fid, deps.publish)
    this.requests = new Requests(deps.requests, apply, (error) => this.fail(error))
    this.requests.listen()
    this.children = new ChildWatch(this)
    this.cancelBy = (by, reason) => apply({ wanted: 'cancel', by, reason, at: deps.clock.now() / 1000 })
    const { promise, resolve, reject } = Promise.withResolvers<TryOutcome>()
    this.interrupted = promise
    this.#interrupt = resolve
    this.#break = reject
    this.#root = { owner: this, names: new Names(''), step: undefined }
    setMaxListeners(0, this.#controller.signal)
    if (deps.producer.stopped.aborted) this.#stopped()
    else deps.producer.stopped.addEventListener('abort', () => this.#stopped())
  }

  get phase(): 'open' | 'unwinding' | 'closed' {
    return this.#phase
  }

  get unwinding(): Unwinding | undefined {
    return this.#unwinding
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The frame of the code that calls; the root for code that lost its own. */
  frame(): Frame {
    const frame = currentFrame()
    return frame?.owner === this ? frame : this.#root
  }

  get root(): Frame {
    return this.#root
  }

  /** Emits an event as it is; nothing once closed. RefusedError for events that are too large or too many. */
  emit<K extends EventKind>(kind: K, data: EventData[K], step?: string): void {
    if (this.#phase !== 'closed') this.#outbox.emit(kind, data, step)
  }

  /** Emits on behalf of the flow: what is repeated outside steps is matched to the journal and not emitted twice. */
  say<K extends EventKind>(kind: K, data: EventData[K]): void {
    const { step } = this.frame()
    this.activity.touch()
    if (step === undefined && this.journal.takeEmission(kind, data)) return
    if (kind === 'model') this.guard.count(data as EventData['model'])
    this.emit(kind, data, step)
  }

  print(kind: 'stdout' | 'stderr', text: string): boolean {
    if (this.#phase === 'closed') return false
    this.say(kind, { text: text.slice(0, PRINT_CHARS_MAX) })
    return true
  }

  /** Resolves when all that was emitted is acknowledged; never when this epoch has been stopped. */
  async flush(): Promise<void> {
    if (!(await this.#outbox.flush())) await never()
  }

  /** The seal of the epoch before. Not known when the reply that held it was lost: then our own first event, which the store has only after all before it. */
  get prev(): Position {
    return this.deps.producer.prev ?? (this.deps.reason === 'start' ? ORIGIN : { epoch: this.deps.producer.epoch, seq: 1 })
  }

  /** Work that a suspension must wait for begins; the result says that it is over. */
  begin(): () => void {
    const end = this.activity.begin()
    return () => {
      end()
      this.#changed()
    }
  }

  /** Counts a step as open while it is run. */
  async openStep<T>(id: string, run: () => Promise<T>): Promise<T> {
    this.openSteps.add(id)
    try {
      return await run()
    } finally {
      this.openSteps.delete(id)
      this.#changed()
    }
  }

  /** Calls `listener` when work ended; the result ends it. */
  onWorkDone(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A promise of something outside: counted as a wait, rejected when the run unwinds, never settled once closed. `start` gives what takes it back. */
  pending<T>(register: () => () => void, start: (resolve: (value: T) => void) => () => void): Promise<T> {
    if (this.#phase === 'closed') return never()
    if (this.#unwinding) return Promise.reject(this.#unwinding.reason)
    return this.#pending.add(register(), start)
  }

  /** Waits until a time of the clock (ms). */
  until(wait: Wait & { readonly until: number }): Promise<void> {
    return this.pending(
      () => this.activity.wait(wait),
      (resolve) => this.deps.clock.timer(Math.max(0, wait.until - this.deps.clock.now()), resolve),
    )
  }

  /** The pause that is asked for. */
  get pausing(): ControlRequest | undefined {
    return this.#pausing
  }

  /** Holds the run at its next step border, or lets go on what is held. */
  pause(request: ControlRequest | undefined): void {
    this.#pausing = request
    this.activity.touch()
    if (!this.holding) for (const release of this.#releases) release()
  }

  /** True when a call that reaches a step border must wait there. */
  get holding(): boolean {
    return this.#phase === 'open' && (this.#pausing !== undefined || this.deps.stop.aborted)
  }

  /** Waits at a step border until the run may go on. */
  async hold(): Promise<void> {
    const held = this.pending<void>(
      () => this.activity.hold(),
      (resolve) => {
        this.#releases.add(resolve)
        return () => this.#releases.delete(resolve)
      },
    )
    this.#changed()
    await held
  }

  /** Throws into all waits and aborts the signal: the function unwinds. */
  unwind(unwinding: Unwinding): void {
    if (this.#phase !== 'open') return
    this.#phase = 'unwinding'
    this.#unwinding = unwinding
    this.#controller.abort(unwinding.reason)
    this.#pending.unwind(unwinding.reason)
    this.activity.touch()
  }

  /** No event after this but those of `lastWords`; false when the try was closed already. */
  close(lastWords: () => void = () => undefined): boolean {
    if (this.#phase === 'closed') return false
    this.#outbox.lift()
    lastWords()
    this.#phase = 'closed'
    this.activity.close()
    this.requests.close()
    for (const closer of this.#closers) closer()
    this.#pending.forget()
    this.deltas.flush()
    return true
  }

  /** Closes without unwinding and ends the try, once its last words are acknowledged. */
  async interrupt(outcome: TryOutcome, lastWords: () => void): Promise<void> {
    if (this.close(lastWords)) await this.flush().then(() => this.#interrupt(outcome), this.#break)
  }

  /** Closes without unwinding and without waiting: another try goes on from what is stored. Aborts the signal with `abort`, when given. */
  release(abort?: Error): void {
    if (!this.close()) return
    if (abort) this.#controller.abort(abort)
    this.#interrupt({ outcome: 'released' })
  }

  /** Ends the try as `outcome` says, or with its error. */
  settle(outcome: Promise<TryOutcome>): void {
    outcome.then(this.#interrupt, this.#break)
  }

  /** Calls `listener` when the try is closed. */
  onClose(listener: () => void): void {
    this.#closers.add(listener)
  }

  /** Ends the try with an error that is not the flow's. */
  fail(error: unknown): void {
    this.close()
    this.#break(error)
  }

  /** Aborts the signal of the context and of its steps; calls go on as before. */
  abort(reason: Error): void {
    this.#controller.abort(reason)
  }

  #stopped(): void {
    const { reason } = this.deps.producer.stopped
    this.close()
    this.#controller.abort(reason)
    if (reason instanceof FencedError) this.#interrupt({ outcome: 'fenced', begun: this.deps.producer.prev !== undefined })
    else if (reason instanceof UnavailableError && reason.code === 'events_lost') {
      const { from, to } = reason.details as { readonly from: string; readonly to: string }
      this.#interrupt({ outcome: 'lost', from, to })
    } else this.#break(reason)
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** A promise that never settles: a function that must not go on waits here and is forgotten with it. */
export function never<T>(): Promise<T> {
  return new Promise(() => undefined)
}
