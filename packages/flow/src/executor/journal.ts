import {
  canonicalJson,
  parseJson,
  RefusedError,
  type AttemptReason,
  type ContentRef,
  type EndedStatus,
  type Escalation,
  type ErrorValue,
  type EventData,
  type EventRecord,
  type Json,
  type RunStatus,
  type TypedValue,
} from '@koco/core'
import { tokensOf, type Spent } from '../budgets/stored-budgets.ts'

/** What the journal knows of a step: its last failure or its result. `result` is JSON text, undefined for undefined and where it lies elsewhere, as `content` says. */
export type JournaledStep =
  | { readonly phase: 'finished'; readonly input: string | undefined; readonly result: string | undefined; readonly content: ContentRef | undefined }
  | { readonly phase: 'failed'; readonly input: string | undefined; readonly try: number; readonly error: ErrorValue; readonly retryAt: number | null }

/** What the journal knows of a lock. Times are unix seconds. */
export type JournaledLock = {
  readonly expiresAt: number | null
  readonly escalations: readonly Escalation[]
  /** How many of the escalations have been journaled. */
  escalated: number
  lease: { readonly answer: Json; readonly by: string; readonly at: number } | 'expired' | undefined
}

/** What the journal knows of a child run: the hash of its inputs and, once it was seen, its end. `result` is the JSON text of a TypedValue. */
export type JournaledChild = {
  readonly input: string
  end: { readonly status: 'finished'; readonly result: string } | { readonly status: BadEnd; readonly error: ErrorValue } | undefined
}

/** An end as events tell it. */
export type ChildEnding = { readonly status: 'finished'; readonly result: TypedValue } | { readonly status: BadEnd; readonly error: ErrorValue }

type BadEnd = Exclude<EndedStatus, 'finished'>

// Emissions that a repeated function emits again; everything else is matched by its own identity or written by the executor.
const REPEATED: ReadonlySet<string> = new Set(['agent', 'action', 'result', 'warning', 'debug', 'stdout', 'stderr', 'upload', 'progress', 'model', 'tool'])

/** What the earlier tries of a run did, folded from their events in timeline order. Holds results as text and emissions as keys, never whole events. */
export class Journal {
  readonly steps = new Map<string, JournaledStep>()
  readonly values = new Map<string, Json>()
  readonly sleeps = new Map<string, { readonly until: number; finished: boolean }>()
  readonly locks = new Map<string, JournaledLock>()
  readonly children = new Map<string, JournaledChild>()
  /** The last status said, null before the first. */
  status: RunStatus | null = null
  hasInputs = false
  /** A pause that no resume has followed. */
  paused = false
  /** When (unix seconds) the last retry began; what failed or expired before it counts no more. */
  retriedAt = Number.NEGATIVE_INFINITY
  /** Tries that ended without a word, one after the other, since the last sign of progress. */
  deaths = 0
  /** The try before this one was such a try. */
  died = false
  /** The step that was begun last and is not known to have ended. */
  lastBegun: string | null = null
  /** What was spent on models. */
  spent: Spent = { cost: 0, tokens: 0 }
  /** Seconds of work in the epochs before. */
  workedS = 0
  readonly #emissions = new Map<string, number>()
  readonly #bytesMax: number
  #bytes = 0
  #tryStart: number | undefined
  #lastTs = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Folds the next event in. RefusedError `journal_too_large` when the results of the steps outgrow the limit. */
  add(record: EventRecord): void {
    if (record.kind === 'status') this.#status(record)
    this.#lastTs = record.ts
    if (record.kind === 'model') this.#spend(parseJson(record.data) as unknown as EventData['model'])
    if (REPEATED.has(record.kind)) {
      if (record.step === null) this.#emissions.set(...this.#counted(record.kind, record.data, 1))
      return
    }
    this.#fold(record)
  }

  /** A child was started. */
  startChild(id: string, input: string): void {
    this.children.set(id, { input, end: undefined })
  }

  /** A child was seen to have ended. */
  endChild(id: string, end: ChildEnding): void {
    const child = this.children.get(id)
    if (child) child.end = end.status === 'finished' ? { status: end.status, result: JSON.stringify(end.result) } : { status: end.status, error: end.error }
  }

  /** Our own `attempt` ends what was before: call once after the last event. */
  seal(attempt: { readonly reason: AttemptReason; readonly ts: number }): void {
    this.#begin(attempt.reason, attempt.ts)
  }

  /** Takes an emission of this kind and content out of the journal; false when it holds no (further) one. */
  takeEmission(kind: string, data: unknown): boolean {
    if (this.#emissions.size === 0) return false
    const [key, count] = this.#counted(kind, JSON.stringify(data), -1)
    if (count < 0) return false
    if (count === 0) this.#emissions.delete(key)
    else this.#emissions.set(key, count)
    return true
  }

  #counted(kind: string, text: string, by: number): [string, number] {
    const key = `${kind} ${canonicalJson(parseJson(text))}`
    return [key, (this.#emissions.get(key) ?? 0) + by]
  }

  #fold(record: EventRecord): void {
    const data = parseJson(record.data)
    switch (record.kind) {
      case 'attempt':
        return this.#attempt(data as unknown as EventData['attempt'], record.ts)
      case 'inputs':
        this.hasInputs = true
        return undefined
      case 'step':
        return this.#step(data as unknown as EventData['step'], record.data.length)
      case 'sleep':
        return this.#sleep(data as unknown as EventData['sleep'])
      case 'child':
        return this.#child(data as unknown as EventData['child'], record.data.length)
      case 'lock': {
        const lock = data as unknown as EventData['lock']
        this.locks.set(lock.lid, { expiresAt: lock.expires_at, escalations: lock.escalations ?? [], escalated: 0, lease: undefined })
        return undefined
      }
      case 'escalate':
        return this.#escalate(data as unknown as EventData['escalate'])
      case 'lease':
        return this.#lease(data as unknown as EventData['lease'])
      case 'pause':
        this.paused = true
        return undefined
      case 'resume':
        this.paused = false
        return undefined
      default:
        return undefined
    }
  }

  #attempt(attempt: EventData['attempt'], ts: number): void {
    if (attempt.reason !== 'finalise') this.#begin(attempt.reason, ts)
  }

  #begin(reason: AttemptReason, ts: number): void {
    this.died = this.#tryStart !== undefined
    if (this.#tryStart !== undefined) this.workedS += Math.max(0, this.#lastTs - this.#tryStart)
    this.#tryStart = ts
    if (this.died) this.deaths += 1
    if (reason !== 'retry') return
    this.died = false
    this.deaths = 0
    this.retriedAt = ts
    this.status = 'starting'
    for (const [id, step] of this.steps) if (step.phase === 'failed') this.steps.delete(id)
    for (const child of this.children.values()) if (child.end?.status !== 'finished') child.end = undefined
    this.workedS = 0
  }

  // The wait begins with the event before the status that says so; what lies between is idle time, not work.
  #status(record: EventRecord): void {
    const { status, deaths } = parseJson(record.data) as unknown as EventData['status']
    this.status = status
    if (status !== 'awaiting' && status !== 'paused') return
    if (this.#tryStart !== undefined) this.workedS += Math.max(0, this.#lastTs - this.#tryStart)
    this.#tryStart = undefined
    this.deaths = deaths ?? 0
  }

  #step(step: EventData['step'], bytes: number): void {
    if (step.phase === 'started') {
      this.lastBegun = step.id
      return
    }
    this.deaths = 0
    if (this.lastBegun === step.id) this.lastBegun = null
    if (step.phase === 'failed') {
      this.steps.set(step.id, { phase: 'failed', input: step.input, try: step.try, error: step.error, retryAt: step.retry_at })
      return
    }
    this.#grow(bytes)
    if (step.id.startsWith('$')) this.values.set(step.id, step.result)
    else {
      const isHere = step.undefined !== true && step.content === undefined
      this.steps.set(step.id, { phase: 'finished', input: step.input, result: isHere ? JSON.stringify(step.result) : undefined, content: step.content })
    }
  }

  #child(child: EventData['child'], bytes: number): void {
    if (child.phase === 'started') return this.startChild(child.id, child.input)
    this.deaths = 0
    this.#grow(bytes)
    return this.endChild(child.id, child)
  }

  #grow(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes <= this.#bytesMax) return
    throw new RefusedError(
      `The results of the finished steps and child runs have more than ${this.#bytesMax} bytes; a later try cannot hold them. Return less from them and keep large data in files.`,
      { code: 'journal_too_large' },
    )
  }

  #spend({ cost, tokens }: EventData['model']): void {
    this.spent = { cost: this.spent.cost + (cost ?? 0), tokens: this.spent.tokens + tokensOf(tokens) }
  }

  #sleep(sleep: EventData['sleep']): void {
    if (sleep.phase === 'started') this.sleeps.set(sleep.id, { until: sleep.until, finished: false })
    else {
      const started = this.sleeps.get(sleep.id)
      if (started) started.finished = true
    }
  }

  #escalate({ lid, step }: EventData['escalate']): void {
    const lock = this.locks.get(lid)
    if (lock) lock.escalated = step
  }

  #lease(lease: EventData['lease']): void {
    const lock = this.locks.get(lease.lid)
    if (lock) lock.lease = 'expired' in lease ? 'expired' : { answer: lease.answer, by: lease.by, at: lease.at }
  }
}
