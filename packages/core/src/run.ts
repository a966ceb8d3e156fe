import type { AttemptReason, ErrorValue, RunEvent, TokenCounts, TypedValue } from './event.ts'
import { AssertionError } from './errors.ts'
import type { Json } from './json.ts'
import type { Position } from './position.ts'
import { comparePositions, formatPosition, ORIGIN } from './position.ts'
import type { RunStatus } from './status.ts'
import { isEnded, mayFollow } from './status.ts'

/** What a run has spent on models: sums over its `model` events. `cost` is null while no call with a known cost was made. */
export type Usage = TokenCounts & { readonly calls: number; readonly cost: number | null }

/** What a run is, folded from its events. Times are unix seconds; null stands for not known yet. */
export type RunState = {
  readonly fid: string
  readonly flow: string
  readonly version: string | null
  readonly user: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly parent: string | null
  readonly inputs: Json
  readonly status: RunStatus
  readonly createdAt: number
  readonly startedAt: number | null
  readonly finishedAt: number | null
  /** When a waiting run wakes by itself. */
  readonly wakeAt: number | null
  /** While it rests, until `wakeAt`, because its tries end with the death of their process: how many did so one after the other. Else 0. */
  readonly deaths: number
  /** How many tries the flow has had. */
  readonly attempt: number
  readonly events: number
  /** The last event folded in; every event up to it is, in order. */
  readonly lastPosition: Position
  /** Locks asked and not yet leased; of no meaning once the run is over. */
  readonly openLocks: number
  readonly final: TypedValue | null
  readonly error: ErrorValue | null
  readonly usage: Usage | null
  readonly progress: { readonly done: number; readonly total: number | null; readonly text?: string } | null
}

/** What is known of a run when it is created. */
export type NewRun = Pick<RunState, 'fid' | 'flow' | 'version' | 'user' | 'summary' | 'tags' | 'parent' | 'inputs' | 'createdAt'>

/** A run before its first event. */
export function newRunState(run: NewRun): RunState {
  return {
    ...run,
    status: 'starting',
    startedAt: null,
    finishedAt: null,
    wakeAt: null,
    deaths: 0,
    attempt: 0,
    events: 0,
    lastPosition: ORIGIN,
    openLocks: 0,
    final: null,
    error: null,
    usage: null,
    progress: null,
  }
}

/** A status that cannot follow the one before: two writers, or a stranger in the stream. */
export class ImpossibleTransitionError extends AssertionError {}

/**
 * Folds the next event into a run's state; pure. Events come in position order, each once.
 * Throws ImpossibleTransitionError for a status that may not follow, AssertionError for an event at or below the last position.
 */
export function evolve(run: RunState, event: RunEvent): RunState {
  if (comparePositions(event, run.lastPosition) <= 0) {
    throw new AssertionError(`event ${formatPosition(event)} of run ${run.fid} is not above ${formatPosition(run.lastPosition)}`)
  }
  return apply(advance(run, event), event)
}

/** Counts an event without looking into it: what the fold does with kinds that it does not know and with events that it refuses. */
export function advance(run: RunState, position: Position): RunState {
  return { ...run, events: run.events + 1, lastPosition: { epoch: position.epoch, seq: position.seq } }
}

function apply(run: RunState, event: RunEvent): RunState {
  switch (event.kind) {
    case 'attempt':
      return openTry(run, event.data.reason)
    case 'status':
      return enter({ ...run, deaths: event.data.deaths ?? 0 }, event.data.status, event.ts, event.data.until ?? null)
    case 'inputs':
      return { ...run, inputs: event.data.inputs }
    case 'meta':
      return {
        ...run,
        flow: event.data.flow,
        version: event.data.version,
        summary: event.data.summary,
        tags: event.data.tags,
        user: event.data.user,
        parent: event.data.parent ?? run.parent,
      }
    case 'final':
      return { ...run, final: event.data }
    case 'error':
      return { ...run, error: event.data }
    case 'lock':
      return { ...run, openLocks: run.openLocks + 1 }
    case 'lease':
      return { ...run, openLocks: Math.max(0, run.openLocks - 1) }
    case 'progress':
      return { ...run, progress: event.data }
    case 'model':
      return { ...run, usage: addUsage(run.usage, event.data.tokens, event.data.cost) }
    default:
      return run
  }
}

function openTry(run: RunState, reason: AttemptReason): RunState {
  if (reason === 'finalise') return run
  const attempt = run.attempt + 1
  return reason === 'retry' ? { ...run, attempt, status: 'starting', finishedAt: null, wakeAt: null, final: null, error: null } : { ...run, attempt }
}

function enter(run: RunState, status: RunStatus, ts: number, wakeAt: number | null): RunState {
  if (!mayFollow(run.status, status)) throw new ImpossibleTransitionError(`run ${run.fid} cannot go from ${run.status} to ${status}`)
  const startedAt = run.startedAt ?? (status === 'starting' ? null : ts)
  if (!isEnded(status)) return { ...run, status, startedAt, wakeAt }
  return { ...run, status, startedAt, wakeAt: null, finishedAt: ts }
}

function addUsage(usage: Usage | null, tokens: TokenCounts, cost: number | null): Usage {
  const sum = usage ?? { calls: 0, input_uncached: 0, cache_read: 0, cache_write: 0, output: 0, reasoning: 0, cost: null }
  return {
    calls: sum.calls + 1,
    input_uncached: sum.input_uncached + tokens.input_uncached,
    cache_read: sum.cache_read + tokens.cache_read,
    cache_write: sum.cache_write + tokens.cache_write,
    output: sum.output + tokens.output,
    reasoning: sum.reasoning + tokens.reasoning,
    cost: cost === null ? sum.cost : (sum.cost ?? 0) + cost,
  }
}
