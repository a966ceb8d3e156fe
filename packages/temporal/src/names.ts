import type { AttemptReason, Json } from '@koco/core'

/** The workflow type that people filter by in the Temporal UI. */
export const AGENT_WORKFLOW = 'AgentWorkflow'

/** The workflow type that a schedule starts: it starts the run. */
export const SCHEDULED_START = 'ScheduledStart'

/** Names of what a run's workflow listens to; fixed, because people and programs send them from outside. */
export const SIGNALS = {
  pause: 'pause',
  resume: 'resume',
  cancel: 'cancel_workflow',
  wake: 'wake',
  childEnded: 'child_ended',
  startChildren: 'start_children',
} as const
/** The queries of a run's workflow; fixed like the signals. */
export const QUERIES = { status: 'get_status', paused: 'is_paused', error: 'get_error' } as const
/** The update that answers a lock. */
export const ANSWER_UPDATE = 'answer'

/** Why a try of a flow is made. */
export type TryReason = Exclude<AttemptReason, 'finalise'>

/** What a workflow is started with: ids, never bodies. `version` pins the run to workers that serve this version of the flow. */
export type AgentRun = {
  readonly fid: string
  readonly flow: string
  readonly version: string | null
  readonly user: string
  readonly reason: TryReason
  /** True when the server has the search attributes below, so that the workflow may keep `KodoStatus`. */
  readonly searchable: boolean
  /** The status is kept in one place, which costs the server half: the search attribute, or the memo where there is none. Workflows of before, without this, keep it in both. */
  readonly statusOnce?: true
  /** The workflow closes as timed out when its run is. Workflows of before, without this, fail then. */
  readonly timesOut?: true
  /** The run is over, because it worked longer than its limit, as this says: all that is left is to be closed by the server. */
  readonly timedOut?: string
  /** Continue as new above this many history events; the server's own suggestion counts too. */
  readonly historyMax: number
  /** The base of the activity queues: the workflow's own queue. */
  readonly taskQueue: string
  /** The run that started this one: its workflow is told of the end. */
  readonly parent: string | null
  /** A pause that was asked for before the history was cut. */
  readonly paused: boolean
  /** Children that had ended before the history was cut. */
  readonly endedChildren: readonly string[]
}

/** A workflow to start, as the parent's workflow of a child, or a worker, is told. `timeoutMs`: the longest life of the workflow. */
export type WorkflowStart = { readonly run: AgentRun; readonly timeoutMs: number | null }

/** Search attributes, all of type Keyword; a worker or launcher registers them when the server allows it. The memo holds flow and user in any case, and the status where there are none. */
export const SEARCH_ATTRIBUTES = { flow: 'KodoFlow', user: 'KodoUser', status: 'KodoStatus' } as const

/** One try of a run, as asked of `executeAgent`. `releases`: the workflow makes the next try of a run that is let go of itself. Workflows of before, without this, leave it to the server, which takes up to a second. */
export type TryRequest = { readonly fid: string; readonly flow: string; readonly reason: TryReason; readonly releases?: true }

/** A run that waits with nobody at work: until `wakeAt` (unix seconds), an answer to one of `locks`, the end of all runs of one of the groups in `children`, or a resume. */
export type Suspended = {
  readonly outcome: 'suspended'
  readonly status: 'awaiting' | 'paused'
  readonly wakeAt: number | null
  readonly locks: readonly string[]
  readonly children?: readonly (readonly string[])[]
}

/** The try let go of its run because its worker stops: another one goes on with it, for this reason. */
export type Released = { readonly outcome: 'released'; readonly reason: TryReason }

/** How a try ended. The events that say so are stored or in the stream already. */
export type TryResult =
  | Suspended
  | Released
  | { readonly outcome: 'finished' | 'cancelled' }
  | { readonly outcome: 'failed' | 'timed_out'; readonly message: string }

/** How a run is ended by somebody else than a try of its flow. */
export type FinaliseRequest = { readonly fid: string; readonly status: 'error' | 'cancelled' | 'timed_out'; readonly by: string; readonly message: string }

/** A request of somebody who spoke to the workflow directly; it still has to be written down in the store. */
export type ControlNote = { readonly fid: string; readonly wanted: 'run' | 'pause' | 'cancel'; readonly by: string; readonly reason: string | null }

/** Payload of the control signals. `recorded`: the sender has written it to the store already. All fields may be missing when a person types the signal. */
export type ControlSignal = { readonly by?: string; readonly reason?: string; readonly recorded?: boolean }

/** Payload of the `answer` update. */
export type AnswerRequest = { readonly lid: string; readonly answer: Json; readonly by?: string; readonly reason?: string }

/** One start of a schedule; `at` is when it was due, in unix ms. */
export type ScheduledStartRequest = { readonly id: string; readonly at: number }

/** What an activity worker offers to the workflow. */
export type AgentActivities = {
  executeAgent(request: TryRequest): Promise<TryResult>
  finaliseAgent(request: FinaliseRequest): Promise<void>
  recordControl(note: ControlNote): Promise<void>
  /** Asks the server to cancel the workflow that calls this: the server lets none ask for itself. */
  requestCancel(): Promise<void>
  /** Throws a non-retryable ApplicationFailure when the answer is refused: `unknown_lock`, `answered`, `expired`, `closed`, `invalid_answer`. */
  acceptAnswer(request: AnswerRequest & { readonly fid: string }): Promise<void>
  /** Starts the run of a schedule, or passes the start over, as the schedule's policies say. */
  startScheduled(request: ScheduledStartRequest): Promise<void>
}

/** The queue on which the tries of one version of a flow wait for a worker that serves it. */
export function activityQueue(taskQueue: string, flow: string, version: string | null): string {
  return version === null ? `${taskQueue}/${flow}` : `${taskQueue}/${flow}@${version}`
}
