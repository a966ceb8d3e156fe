import { comparePositions, isEnded, isJsonObject, isRunStatus, must, parsePosition, type Json, type RunStatus, type TypedValue } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'
import { stepLabel } from './spans.ts'

/** How a run stood once an event had happened. `running`, `failed` and `locks` are names by id; `cost` is null while one call has no known price. */
export type ReplayState = {
  readonly status: RunStatus
  readonly attempt: number
  readonly done: number
  readonly running: ReadonlyMap<string, string>
  readonly failed: ReadonlyMap<string, string>
  readonly locks: ReadonlyMap<string, string>
  readonly calls: number
  readonly tokens: number
  readonly cost: number | null
  readonly files: number
  readonly warnings: number
  /** What the run had given last, and the how-manieth it was. */
  readonly output: TypedValue | null
  readonly outputs: number
}

const NONE: ReadonlyMap<string, string> = new Map()
const BEGIN: ReplayState = {
  status: 'starting',
  attempt: 1,
  done: 0,
  running: NONE,
  failed: NONE,
  locks: NONE,
  calls: 0,
  tokens: 0,
  cost: 0,
  files: 0,
  warnings: 0,
  output: null,
  outputs: 0,
}

/** States are kept this many events apart, so that any of them is a few events away. */
const APART = 500

type Data = { readonly [field: string]: Json }
type Keyframe = { readonly position: string; readonly state: ReplayState }

/** The states of a run along its events. The list it is asked about may grow, or lose its end, between two questions. */
export class Replay {
  readonly #kept: Keyframe[] = []

  /** The state after the event at this index. */
  at(events: readonly TimelineEvent[], index: number): ReplayState {
    const known = Math.floor((index + 1) / APART)
    while (this.#kept.length > 0 && !this.#holds(events, this.#kept.length)) this.#kept.pop()
    let from = Math.min(known, this.#kept.length)
    let state = from === 0 ? BEGIN : must(this.#kept[from - 1], 'keyframe').state
    for (let at = from * APART; at <= index; at += 1) {
      const event = must(events[at], 'event')
      state = fold(state, event)
      if ((at + 1) % APART !== 0) continue
      from += 1
      if (from > this.#kept.length) this.#kept.push({ position: event.position, state })
    }
    return state
  }

  #holds(events: readonly TimelineEvent[], count: number): boolean {
    return events[count * APART - 1]?.position === this.#kept[count - 1]?.position
  }
}

/** The index of the event at a position, or of the last one before it; -1 when all come later. */
export function indexAt(events: readonly TimelineEvent[], position: string): number {
  const wanted = parsePosition(position)
  if (!wanted) return -1
  let [low, high] = [0, events.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const found = must(parsePosition(events[middle]?.position ?? ''), 'position')
    if (comparePositions(found, wanted) <= 0) low = middle + 1
    else high = middle
  }
  return low - 1
}

function fold(state: ReplayState, { kind, data }: TimelineEvent): ReplayState {
  if (!isJsonObject(data)) return state
  switch (kind) {
    case 'attempt':
      return { ...state, attempt: typeof data['attempt'] === 'number' ? data['attempt'] : state.attempt, running: NONE }
    case 'status':
      return withStatus(state, data['status'])
    case 'step':
      return withStep(state, data)
    case 'lock':
      return { ...state, locks: withEntry(state.locks, data['lid'], data['name']) }
    case 'lease':
      return { ...state, locks: without(state.locks, data['lid']) }
    case 'model':
      return withCall(state, data)
    case 'upload':
      return { ...state, files: state.files + 1 }
    case 'warning':
      return { ...state, warnings: state.warnings + 1 }
    case 'result':
    case 'agent':
    case 'final':
      return { ...state, output: data as unknown as TypedValue, outputs: state.outputs + 1 }
    default:
      return state
  }
}

function withStatus(state: ReplayState, status: Json | undefined): ReplayState {
  if (!isRunStatus(status)) return state
  return isEnded(status) ? { ...state, status, running: NONE, locks: NONE } : { ...state, status }
}

function withStep(state: ReplayState, data: Data): ReplayState {
  const { id, name, phase } = data
  if (phase === 'started') return { ...state, running: withEntry(state.running, id, stepName(id, name)), failed: without(state.failed, id) }
  const running = without(state.running, id)
  if (phase === 'finished') return { ...state, running, failed: without(state.failed, id), done: state.done + 1 }
  return { ...state, running, failed: data['retry_at'] === null ? withEntry(state.failed, id, stepName(id, name)) : state.failed }
}

function withCall(state: ReplayState, { tokens, cost }: Data): ReplayState {
  const counts = isJsonObject(tokens) ? Object.values(tokens) : []
  const spent = counts.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0)
  return { ...state, calls: state.calls + 1, tokens: state.tokens + spent, cost: typeof cost === 'number' && state.cost !== null ? state.cost + cost : null }
}

function stepName(id: Json | undefined, name: Json | undefined): string {
  const words = typeof name === 'string' ? name : ''
  return typeof id === 'string' ? stepLabel(id, words) : words
}

function withEntry(map: ReadonlyMap<string, string>, id: Json | undefined, name: Json | undefined): ReadonlyMap<string, string> {
  return typeof id === 'string' ? new Map(map).set(id, typeof name === 'string' ? name : id) : map
}

function without(map: ReadonlyMap<string, string>, id: Json | undefined): ReadonlyMap<string, string> {
  if (typeof id !== 'string' || !map.has(id)) return map
  const rest = new Map(map)
  rest.delete(id)
  return rest
}
