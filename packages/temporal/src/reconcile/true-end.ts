import { comparePositions, ORIGIN, type Position, type RunState } from '@koco/core'
import type { RunEnd } from '@koco/flow'
import type { WorkflowState } from './workflow-state.ts'

/** Why a run that the store counts as unfinished is over, or why it is let be. */
export type Verdict =
  | { readonly found: 'terminated' | 'timed_out' | 'closed' | 'events_lost' | 'lost' | 'never_started'; readonly end: RunEnd }
  | { readonly found: 'live' | 'young' | 'on_its_way'; readonly end: null }

/** What is known of a run: by the store, by its stream (`top`: its last position, undefined without a stream) and by Temporal. */
export type Evidence = {
  readonly run: Pick<RunState, 'status' | 'createdAt' | 'lastPosition' | 'parent'>
  readonly top: Position | undefined
  readonly workflow: WorkflowState
  readonly nowMs: number
  /** A run that Temporal does not know may be so young before it counts as never started. */
  readonly youngMs: number
}

/** Judges one run that the store counts as unfinished. Nothing that lives gets an end. */
export function judge({ run, top, workflow, nowMs, youngMs }: Evidence): Verdict {
  if (workflow.is === 'open') return { found: 'live', end: null }
  if (workflow.is === 'unknown') {
    if (nowMs - run.createdAt * 1000 < youngMs) return { found: 'young', end: null }
    const begun = run.status !== 'starting' || comparePositions(top ?? ORIGIN, ORIGIN) > 0
    // A child is started by its parent's workflow, which does not forget it.
    if (!begun && run.parent !== null) return { found: 'young', end: null }
    return begun ? { found: 'lost', end: failed('RunLost', LOST) } : { found: 'never_started', end: failed('NeverStarted', NEVER_STARTED) }
  }
  return isBehind({ run, top }) ? { found: 'on_its_way', end: null } : endOfClosed(workflow)
}

/** True when the stream has events of the run that the store has not: its end may be among them. */
export function isBehind({ run, top }: Pick<Evidence, 'run' | 'top'>): boolean {
  return top !== undefined && comparePositions(top, run.lastPosition) > 0
}

const LOST =
  'Temporal knows nothing of this run any more: its server lost its data, or kept the run no longer. Retry the run: it goes on from what is in its timeline.'
const NEVER_STARTED = 'Temporal never took this run: it was away when the run was to start, and whoever started it was told so. Retry the run to start it now.'
const EVENTS_LOST =
  'The run finished, but its last events were lost before they were stored, its result among them. Retry the run: finished steps are not made again.'
const TIMED_OUT =
  'Temporal closed the run as timed out: it worked longer than the limit of its flow, or lived longer than KODO_TEMPORAL_EXECUTION_TIMEOUT allows.'

function endOfClosed({ how, by, reason }: Extract<WorkflowState, { is: 'closed' }>): Verdict {
  switch (how) {
    case 'terminated':
      return { found: 'terminated', end: { status: 'cancelled', by, reason: `terminated in Temporal${reason === '' ? '' : `: ${reason}`}` } }
    case 'timed_out':
      return { found: 'timed_out', end: { status: 'timed_out', error: { name: 'RunTimedOut', message: TIMED_OUT } } }
    case 'cancelled':
      return { found: 'closed', end: { status: 'cancelled', by, reason: null } }
    case 'failed':
      return { found: 'closed', end: failed('RunFailed', reason || 'The workflow of the run failed in Temporal.') }
    default:
      return { found: 'events_lost', end: failed('EventsLost', EVENTS_LOST) }
  }
}

function failed(name: string, message: string): RunEnd {
  return { status: 'error', error: { name, message } }
}
