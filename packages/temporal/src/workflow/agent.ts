import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  makeContinueAsNewFunc,
  rootCause,
  workflowInfo,
} from '@temporalio/workflow'
import type { AgentRun, Released, Suspended, TryRequest, TryResult } from '../names.ts'
import { bookkeeping, tries } from './activities.ts'
import { listen, settled, tellParent, type RunControl } from './control.ts'

/** Children may end without a word (terminated in Temporal): who waits for some looks by itself now and then. */
const CHILDREN_AGAIN_MS = 600_000

/** The shortest life that the server gives a workflow. */
const CLOSED_AFTER = '1s'

type RunEnd = Exclude<TryResult, Suspended | Released>

/**
 * One run: tries of the flow, one activity each, and between them the waits for people, timers and resumes, with no activity running. The events of a run are written by its tries;
 * the workflow holds ids only. It closes completed, failed, cancelled or timed out, as the run did.
 */
export async function AgentWorkflow(run: AgentRun): Promise<{ readonly status: 'finished' }> {
  const control = listen(run)
  if (run.timedOut !== undefined) return untilClosed(control, run.timedOut)
  const end = await runToEnd(run, control)
  control.show(end.outcome === 'failed' ? 'error' : end.outcome, 'message' in end ? end.message : null)
  // A child is started for sure only by a workflow that is still open.
  if (!allHandlersFinished()) await CancellationScope.nonCancellable(settled)
  if (run.parent !== null) await tellParent(run.fid, run.parent)
  switch (end.outcome) {
    case 'finished':
      return { status: 'finished' }
    case 'cancelled':
      return await closeCancelled()
    case 'timed_out':
      if (run.timesOut === true) return closeTimedOut(run, end.message)
      throw ApplicationFailure.nonRetryable(end.message, end.outcome)
    default:
      throw ApplicationFailure.nonRetryable(end.message, end.outcome)
  }
}

/** Closes the workflow as timed out. Only the server does so, to a workflow that outlives its time: so this one goes on as one that has none left and waits for that. */
async function closeTimedOut(run: AgentRun, message: string): Promise<never> {
  return await makeContinueAsNewFunc<typeof AgentWorkflow>({ workflowRunTimeout: CLOSED_AFTER })({ ...run, timedOut: message })
}

/** Waits, whatever is asked of it, for the server to close it. */
async function untilClosed(control: RunControl, message: string): Promise<never> {
  control.show('timed_out', message)
  return await CancellationScope.nonCancellable(() => new Promise<never>(() => undefined))
}

/** Closes the workflow as cancelled. The server does so only for a workflow that was asked to be: a try that heard of the cancel before its workflow asks in its place. */
async function closeCancelled(): Promise<never> {
  const { cancelRequested } = CancellationScope.current()
  if (!CancellationScope.current().consideredCancelled) await CancellationScope.nonCancellable(() => bookkeeping().requestCancel())
  return cancelRequested
}

/** The end of the run: what the last try said, or, when no try could say it, what is written in its place. */
async function runToEnd(run: AgentRun, control: RunControl): Promise<RunEnd> {
  try {
    return await runTries(run, control)
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error
    const cancelled = isCancellation(error)
    const message = cancelled ? 'cancelled' : (rootCause(error) ?? String(error))
    const by = control.cancelledBy ?? 'temporal'
    await CancellationScope.nonCancellable(() => bookkeeping().finaliseAgent({ fid: run.fid, status: cancelled ? 'cancelled' : 'error', by, message }))
    return cancelled ? { outcome: 'cancelled' } : { outcome: 'failed', message }
  }
}

async function runTries(run: AgentRun, control: RunControl): Promise<RunEnd> {
  const { executeAgent } = tries(run)
  let waiting: Suspended | null = null
  let reason = run.reason
  for (;;) {
    if (waiting !== null) {
      reason = await untilWoken(control, waiting)
      await cutHistory(run, control, reason)
      control.show('running')
    }
    const result = await executeAgent({ fid: run.fid, flow: run.flow, reason, releases: true })
    if (result.outcome === 'released') {
      waiting = null
      reason = result.reason
      await cutHistory(run, control, reason)
      continue
    }
    if (result.outcome !== 'suspended') return result
    waiting = result
    control.forgetAllBut(result.locks, (result.children ?? []).flat())
    control.show(result.status)
  }
}

/** Waits, without any activity, until the next try has something to do; gives the reason for it. */
async function untilWoken(control: RunControl, waiting: Suspended): Promise<TryRequest['reason']> {
  if (waiting.status === 'paused') {
    await condition(() => control.wanted === 'run')
    return 'resume'
  }
  const groups = waiting.children ?? []
  const together = (): boolean => groups.some((group) => group.every((fid) => control.ended.has(fid)))
  const woken = (): boolean => control.wanted === 'pause' || control.answered.size > 0 || together()
  const wakeMs = waiting.wakeAt === null ? Number.POSITIVE_INFINITY : Math.ceil(waiting.wakeAt * 1000 - Date.now())
  const waitMs = groups.length === 0 ? wakeMs : Math.min(wakeMs, CHILDREN_AGAIN_MS)
  if (waitMs === Number.POSITIVE_INFINITY) await condition(woken)
  else await condition(woken, Math.max(1, waitMs))
  return 'wake'
}

/** Continues as new between two tries, before the history grows large. Nothing needs to be carried: the next try reads the journal and the store. */
async function cutHistory(run: AgentRun, control: RunControl, reason: TryRequest['reason']): Promise<void> {
  const info = workflowInfo()
  if (!info.continueAsNewSuggested && info.historyLength <= run.historyMax) return
  await settled()
  await continueAsNew<typeof AgentWorkflow>({ ...run, reason, paused: control.wanted === 'pause', endedChildren: [...control.ended] })
}
