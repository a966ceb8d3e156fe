import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  log,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow'
import type { RunStatus } from '@koco/core'
import { ANSWER_UPDATE, QUERIES, SEARCH_ATTRIBUTES, SIGNALS, type AgentRun, type AnswerRequest, type WorkflowStart, type ControlSignal } from '../names.ts'
import { bookkeeping } from './activities.ts'
import { startChildRuns } from './child.ts'

const pause = defineSignal<[ControlSignal?]>(SIGNALS.pause)
const resume = defineSignal<[ControlSignal?]>(SIGNALS.resume)
const cancel = defineSignal<[ControlSignal?]>(SIGNALS.cancel)
const wake = defineSignal<[string]>(SIGNALS.wake)
const childEnded = defineSignal<[string]>(SIGNALS.childEnded)
const childrenStart = defineSignal<[readonly WorkflowStart[]]>(SIGNALS.startChildren)
const statusQuery = defineQuery<string>(QUERIES.status)
const pausedQuery = defineQuery<boolean>(QUERIES.paused)
const errorQuery = defineQuery<string | null>(QUERIES.error)
const answer = defineUpdate<void, [AnswerRequest]>(ANSWER_UPDATE)

/** What people have asked of this run since its last try began. */
export type RunControl = {
  readonly wanted: 'run' | 'pause'
  readonly cancelledBy: string | null
  /** Locks that were answered. */
  readonly answered: ReadonlySet<string>
  /** Children that have ended. */
  readonly ended: ReadonlySet<string>
  /** Keeps only answers to these locks and ends of these children: the others were taken by the try that has just ended. */
  forgetAllBut(locks: readonly string[], children: readonly string[]): void
  /** Keeps the status where people look for it: in the search attribute, else in the memo. Costs no round trip of its own. */
  show(status: RunStatus, error?: string | null): void
}

type State = {
  wanted: 'run' | 'pause'
  cancelledBy: string | null
  status: RunStatus
  error: string | null
  readonly answered: Set<string>
  readonly ended: Set<string>
}

/** Answers signals, the update and queries of a run from now on. */
export function listen(run: AgentRun): RunControl {
  const state: State = {
    wanted: run.paused ? 'pause' : 'run',
    cancelledBy: null,
    status: 'running',
    error: null,
    answered: new Set(),
    ended: new Set(run.endedChildren),
  }
  setHandler(pause, (request) => note(run, 'pause', request).then(() => void (state.wanted = 'pause')))
  setHandler(resume, (request) => note(run, 'run', request).then(() => void (state.wanted = 'run')))
  setHandler(cancel, (request) => cancelSelf(run, state, request))
  setHandler(wake, (lid) => void state.answered.add(lid))
  setHandler(childrenStart, startChildRuns)
  setHandler(childEnded, (fid) => void state.ended.add(fid))
  setHandler(answer, (request) => takeAnswer(run, state, request), { validator: checkAnswer })
  setHandler(statusQuery, () => state.status)
  setHandler(pausedQuery, () => state.status === 'paused' || state.wanted === 'pause')
  setHandler(errorQuery, () => state.error)
  return controlOf(run, state)
}

function controlOf(run: AgentRun, state: State): RunControl {
  return {
    get wanted() {
      return state.wanted
    },
    get cancelledBy() {
      return state.cancelledBy
    },
    answered: state.answered,
    ended: state.ended,
    forgetAllBut(locks, children) {
      keep(state.answered, locks)
      keep(state.ended, children)
    },
    show(status, error = null) {
      state.status = status
      state.error = error
      if (!run.searchable || run.statusOnce !== true) upsertMemo({ status })
      if (run.searchable) upsertSearchAttributes({ [SEARCH_ATTRIBUTES.status]: [status] })
    },
  }
}

/** Writes down a request of somebody who spoke to the workflow directly; the panel has done so before it signals. */
async function note(run: AgentRun, wanted: 'run' | 'pause' | 'cancel', request: ControlSignal | undefined): Promise<void> {
  if (request?.recorded === true) return
  await bookkeeping().recordControl({ fid: run.fid, wanted, by: request?.by ?? 'temporal', reason: request?.reason ?? null })
}

/** The signal does what the Cancel button of the Temporal UI does: only a requested cancellation closes a workflow as cancelled. Not to be cut off by it, which would end the workflow here. */
function cancelSelf(run: AgentRun, state: State, request: ControlSignal | undefined): Promise<void> {
  state.cancelledBy = request?.by ?? 'temporal'
  return CancellationScope.nonCancellable(async () => {
    await note(run, 'cancel', request)
    await bookkeeping().requestCancel()
  })
}

/** Refuses at once what no store needs to be asked for; a rejected update leaves no trace in the history. */
function checkAnswer(request: AnswerRequest | undefined): void {
  if (typeof request?.lid !== 'string' || !('answer' in request)) {
    throw ApplicationFailure.nonRetryable('An answer is {"lid": "…", "answer": …}; by is optional.', 'invalid_answer')
  }
}

async function takeAnswer(run: AgentRun, state: State, request: AnswerRequest): Promise<void> {
  try {
    await bookkeeping().acceptAnswer({ ...request, fid: run.fid })
  } catch (error) {
    // Who sent it sees the reason itself, not the activity around it.
    throw error instanceof ActivityFailure && error.cause instanceof ApplicationFailure ? error.cause : error
  }
  state.answered.add(request.lid)
}

function keep(all: Set<string>, only: readonly string[]): void {
  const kept = new Set(only)
  for (const one of all) if (!kept.has(one)) all.delete(one)
}

/** Tells the workflow of the run that started this one that this one is over, once the store or the stream has its end. A parent that is over itself needs no news. */
export async function tellParent(fid: string, parentFid: string): Promise<void> {
  const parent = workflowInfo().workflowId.slice(0, -fid.length) + parentFid
  try {
    await CancellationScope.nonCancellable(() => getExternalWorkflowHandle(parent).signal(SIGNALS.childEnded, fid))
  } catch (error) {
    log.info('the workflow of the parent run is over', { parent, error })
  }
}

/** Resolves when no signal or update is being handled. */
export async function settled(): Promise<void> {
  await condition(allHandlersFinished)
}
