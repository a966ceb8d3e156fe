import { isJsonObject, type ErrorValue, type Json } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'
import { contentIn, type NamedContent } from '../api/contents.ts'

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

/** A stretch of a run: a step with its tries, a call of a model or a tool, a wait (sleep, lock, pause, a run that this run started). */
export type Span = {
  readonly id: string
  readonly kind: 'step' | 'model' | 'tool' | 'sleep' | 'lock' | 'pause' | 'child'
  readonly name: string
  /** The groups that it was asked for in, the outermost first, as their ids have it: empty outside of groups. */
  readonly path: readonly string[]
  /** The span within which it happened: the step of a model's or a tool's call. */
  readonly parent: string | null
  /** The position of the event that began it. */
  readonly position: string
  readonly start: number
  readonly end: number | null
  readonly tries: readonly StepTry[]
  readonly result: Json | undefined
  /** Where the result lies that its event only names. */
  readonly content?: NamedContent | null
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
  /** How many of them are steps. */
  steps = 0
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
    this.steps = 0
    this.version += 1
  }

  add(event: TimelineEvent): void {
    if (event.epoch > this.#epoch) {
      this.#interrupt()
      this.#epoch = event.epoch
    }
    this.#lastTs = Math.max(this.#lastTs, event.ts)
    if (isJsonObject(event.data)) this.#apply(event, event.data)
  }

  #apply(event: TimelineEvent, data: { readonly [key: string]: Json }): void {
    const id = text(data['id'])
    if (event.kind === 'step') this.#step(event, data)
    else if (event.kind === 'model') this.#call(event, data, text(data['model']))
    else if (event.kind === 'tool') this.#call(event, data, text(data['name']))
    else if (event.kind === 'sleep') this.#wait(event, { id: `sleep:${id}`, kind: 'sleep', name: 'Sleep', path: pathOf(id) }, data['phase'] === 'finished')
    else if (event.kind === 'child') {
      this.#wait(event, { id: `child:${id}`, kind: 'child', name: `Run of ${text(data['flow'])}`, path: pathOf(id) }, data['phase'] === 'ended')
    } else if (event.kind === 'lock') this.#wait(event, { id: `lock:${text(data['lid'])}`, kind: 'lock', name: text(data['name']) }, false)
    else if (event.kind === 'lease') this.#wait(event, { id: `lock:${text(data['lid'])}`, kind: 'lock', name: 'Lock' }, true, data['answer'])
    else if (event.kind === 'pause') this.#wait(event, { id: `pause:${++this.#pauses}`, kind: 'pause', name: `Paused by ${text(data['by'])}` }, false)
    else if (event.kind === 'resume') this.#wait(event, { id: `pause:${this.#pauses}`, kind: 'pause', name: 'Paused' }, true)
    else if (event.kind === 'status' && ENDED.has(text(data['status']))) this.#closeAll(event.ts)
  }

  #step(event: TimelineEvent, data: { readonly [key: string]: Json }): void {
    const plainId = text(data['id'])
    const id = `step:${plainId}`
    const known = this.#spans.get(id)
    const number = Number(data['try'] ?? 1)
    const { phase } = data
    if (!known) this.steps += 1
    const base: Span = known ?? {
      id,
      kind: 'step',
      name: stepLabel(plainId, text(data['name'])),
      path: pathOf(plainId),
      parent: null,
      position: event.position,
      start: event.ts,
      end: null,
      tries: [],
      result: undefined,
      durationS: null,
    }
    if (phase === 'started') {
      const next: StepTry = { number, epoch: event.epoch, start: event.ts, end: null, outcome: 'running', error: null, retryAt: null }
      this.#set({ ...base, end: null, durationS: null, tries: [...base.tries, next] })
      return
    }
    const durationS = Number(data['duration_s'] ?? 0)
    const error = phase === 'failed' ? ((data['error'] ?? null) as ErrorValue | null) : null
    const retryAt = typeof data['retry_at'] === 'number' ? data['retry_at'] : null
    const outcome = phase === 'failed' ? ('failed' as const) : ('finished' as const)
    const open = base.tries.findLast((one) => one.outcome === 'running')
    const ended: StepTry = { number, epoch: event.epoch, start: open?.start ?? event.ts - durationS, end: event.ts, outcome, error, retryAt }
    this.#set({
      ...base,
      start: known?.start ?? ended.start,
      end: event.ts,
      tries: [...base.tries.filter((one) => one !== open), ended],
      result: phase === 'finished' ? data['result'] : undefined,
      content: phase === 'finished' ? contentIn(event.fid, data) : null,
      durationS,
    })
  }

  /** A call is told of when it is over. */
  #call(event: TimelineEvent, data: { readonly [key: string]: Json }, name: string): void {
    const durationS = Number(data['duration_s'] ?? 0)
    const error = isJsonObject(data['error']) ? (data['error'] as unknown as ErrorValue) : null
    const start = event.ts - durationS
    const only: StepTry = { number: 1, epoch: event.epoch, start, end: event.ts, outcome: error ? 'failed' : 'finished', error, retryAt: null }
    this.#set({
      id: `call:${event.position}`,
      kind: event.kind === 'model' ? 'model' : 'tool',
      name,
      path: pathOf(event.step ?? ''),
      parent: event.step === null ? null : `step:${event.step}`,
      position: event.position,
      start,
      end: event.ts,
      tries: [only],
      result: data,
      durationS,
    })
  }

  #wait(event: TimelineEvent, what: Pick<Span, 'id' | 'kind' | 'name'> & { readonly path?: readonly string[] }, ends: boolean, result?: Json): void {
    const known = this.#spans.get(what.id)
    if (!ends && known) return
    const begun = known ?? {
      path: [],
      ...what,
      parent: null,
      position: event.position,
      start: event.ts,
      end: null,
      tries: [],
      result: undefined,
      durationS: null,
    }
    this.#set(ends ? { ...begun, end: event.ts, result, durationS: event.ts - begun.start } : begun)
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

/** A part of an identity as people read it: without the escapes that keep its parts apart. */
export function plainName(part: string): string {
  return part.replaceAll(/%([\da-f]{2})/g, (_match, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

/** What people read for a step: its name, with its key where a key tells it from others of that name. */
export function stepLabel(id: string, name: string): string {
  const own = id.slice(id.lastIndexOf('/') + 1)
  return own.includes('[') ? plainName(own) : name
}

/** The groups of an identity, `fetch/page[2]/read` is in `fetch` and `page[2]`. */
function pathOf(id: string): readonly string[] {
  return id.split('/').slice(0, -1)
}

/** True for what the run does, false for what it waits for. */
export function isWork(span: Span): boolean {
  return span.kind === 'step' || span.kind === 'model' || span.kind === 'tool'
}

/** How a span stands, in one word. */
export function spanOutcome(span: Span): StepTry['outcome'] | 'waiting' {
  if (!isWork(span)) return span.end === null ? 'waiting' : 'finished'
  return span.tries.at(-1)?.outcome ?? 'finished'
}

function interrupted(span: Span, ts: number): Span {
  const tries = span.tries.map((one) => (one.outcome === 'running' ? { ...one, outcome: 'interrupted' as const, end: ts } : one))
  return { ...span, end: ts, tries }
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
