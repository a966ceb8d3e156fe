import { isJsonObject, type ErrorValue, type Json } from '@koco/core'
import type { WireEvent } from '../api/shapes.ts'

/** One try of a step. `interrupted`: its process went away or the run was suspended before it ended. Times in unix seconds. */
export type StepTry = {
  readonly number: number
  readonly epoch: number
  readonly start: number
  readonly end: number | null
  readonly outcome: 'running' | 'finished' | 'failed' | 'interrupted'
  readonly error: ErrorValue | null
  readonly retryAt: number | null
}

/** A row of the waterfall: a step with its tries, or a wait (sleep, lock, pause, a run that this run started). */
export type Span = {
  readonly id: string
  readonly kind: 'step' | 'sleep' | 'lock' | 'pause' | 'child'
  readonly name: string
  readonly start: number
  readonly end: number | null
  readonly tries: readonly StepTry[]
  readonly result: Json | undefined
  readonly durationS: number | null
}

/**
 * Folds the events of a run, one by one, into steps and waits. A later epoch ends what an earlier one left open; a step that is run again keeps its row and gets a further try.
 */
export class SpanFold {
  readonly #spans = new Map<string, Span>()
  #epoch = 0
  #lastTs = 0
  #pauses = 0
  version = 0

  /** The rows, in the order in which they began. */
  list(): Span[] {
    return [...this.#spans.values()]
  }

  /** When the last event happened, in unix seconds. */
  get lastTs(): number {
    return this.#lastTs
  }

  clear(): void {
    this.#spans.clear()
    this.#epoch = 0
    this.#lastTs = 0
    this.#pauses = 0
    this.version += 1
  }

  add(event: WireEvent): void {
    if (event.epoch > this.#epoch) {
      this.#interrupt()
      this.#epoch = event.epoch
    }
    this.#lastTs = Math.max(this.#lastTs, event.ts)
    if (isJsonObject(event.data)) this.#apply(event, event.data)
  }

  #apply(event: WireEvent, data: { readonly [key: string]: Json }): void {
    if (event.kind === 'step') this.#step(event, data)
    else if (event.kind === 'sleep') this.#wait(`sleep:${text(data['id'])}`, 'sleep', 'Sleep', event.ts, data['phase'] === 'finished')
    else if (event.kind === 'child') this.#wait(`child:${text(data['id'])}`, 'child', `Run of ${text(data['flow'])}`, event.ts, data['phase'] === 'ended')
    else if (event.kind === 'lock') this.#wait(`lock:${text(data['lid'])}`, 'lock', text(data['name']), event.ts, false)
    else if (event.kind === 'lease') this.#wait(`lock:${text(data['lid'])}`, 'lock', 'Lock', event.ts, true, data['answer'])
    else if (event.kind === 'pause') this.#wait(`pause:${++this.#pauses}`, 'pause', `Paused by ${text(data['by'])}`, event.ts, false)
    else if (event.kind === 'resume') this.#wait(`pause:${this.#pauses}`, 'pause', 'Paused', event.ts, true)
    else if (event.kind === 'status' && ENDED.has(text(data['status']))) this.#closeAll(event.ts)
  }

  #step(event: WireEvent, data: { readonly [key: string]: Json }): void {
    const id = `step:${text(data['id'])}`
    const known = this.#spans.get(id)
    const number = Number(data['try'] ?? 1)
    const phase = data['phase']
    if (phase === 'started') {
      const next: StepTry = { number, epoch: event.epoch, start: event.ts, end: null, outcome: 'running', error: null, retryAt: null }
      const base = known ?? { id, kind: 'step' as const, name: stepLabel(text(data['id']), text(data['name'])), start: event.ts, tries: [], result: undefined }
      this.#set({ ...base, end: null, durationS: null, tries: [...base.tries, next] })
      return
    }
    const durationS = Number(data['duration_s'] ?? 0)
    const error = phase === 'failed' ? ((data['error'] ?? null) as ErrorValue | null) : null
    const retryAt = typeof data['retry_at'] === 'number' ? data['retry_at'] : null
    const outcome = phase === 'failed' ? ('failed' as const) : ('finished' as const)
    const open = known?.tries.findLast((one) => one.outcome === 'running')
    const ended: StepTry = { number, epoch: event.epoch, start: open?.start ?? event.ts - durationS, end: event.ts, outcome, error, retryAt }
    const earlier = known?.tries.filter((one) => one !== open) ?? []
    this.#set({
      id,
      kind: 'step',
      name: stepLabel(text(data['id']), text(data['name'])),
      start: known?.start ?? ended.start,
      end: event.ts,
      tries: [...earlier, ended],
      result: phase === 'finished' ? data['result'] : undefined,
      durationS,
    })
  }

  #wait(id: string, kind: Span['kind'], name: string, ts: number, ends: boolean, result?: Json): void {
    const known = this.#spans.get(id)
    if (!ends && known) return
    if (ends) this.#set({ ...(known ?? { id, kind, name, start: ts, tries: [] }), end: ts, result, durationS: ts - (known?.start ?? ts) })
    else this.#set({ id, kind, name, start: ts, end: null, tries: [], result: undefined, durationS: null })
  }

  #set(span: Span): void {
    this.#spans.set(span.id, span)
    this.version += 1
  }

  /** A new epoch began: the steps of the old one that were at work will not end any more. Waits go on. */
  #interrupt(): void {
    for (const span of this.#spans.values()) {
      if (span.kind === 'step' && span.end === null) this.#set(interrupted(span, this.#lastTs))
    }
  }

  #closeAll(ts: number): void {
    for (const span of this.#spans.values()) {
      if (span.end === null) this.#set(span.kind === 'step' ? interrupted(span, ts) : { ...span, end: ts, durationS: ts - span.start })
    }
  }
}

const ENDED: ReadonlySet<string> = new Set(['finished', 'error', 'cancelled', 'timed_out'])

/** What people read for a step: its name, or its whole identity where a key tells it from others of that name. */
export function stepLabel(id: string, name: string): string {
  return id.includes('[') && id !== name ? id : name
}

/** How a span stands, in one word. */
export function spanOutcome(span: Span): StepTry['outcome'] | 'waiting' {
  if (span.kind !== 'step') return span.end === null ? 'waiting' : 'finished'
  return span.tries.at(-1)?.outcome ?? 'finished'
}

function interrupted(span: Span, ts: number): Span {
  const tries = span.tries.map((one) => (one.outcome === 'running' ? { ...one, outcome: 'interrupted' as const, end: ts } : one))
  return { ...span, end: ts, tries }
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
