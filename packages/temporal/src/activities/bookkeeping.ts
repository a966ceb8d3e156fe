import { Context } from '@temporalio/activity'
import { isEnded, must } from '@koco/core'
import { answerLock, finaliseRun, stopChildren, type RunEnd } from '@koco/flow'
import type { AnswerRequest, ControlNote, FinaliseRequest } from '../names.ts'
import type { ActivityDeps } from './deps.ts'
import { giveUp } from './failures.ts'
import { openProducer } from './open-producer.ts'

/** Writes the end of a run that no try can write, in an epoch of its own; nothing when the run is over already. */
export async function finaliseAgent(deps: ActivityDeps, request: FinaliseRequest): Promise<void> {
  const run = await deps.store.runs.get(request.fid)
  if (!run || isEnded(run.status)) return
  await finaliseRun({
    fid: run.fid,
    end: await endOf(deps, request),
    producer: openProducer(deps, run, Context.current().info.currentAttemptScheduledTimestampMs),
    reader: deps.store.reader,
    onCommitted: (listener) => deps.news.onCommitted(run.fid, listener),
    clock: deps.clock,
    attempt: run.attempt,
    owner: deps.owner,
    signal: deps.stopNow,
    stopChildren: (by, reason) => stopChildren(deps.store, deps.launcher, { fid: run.fid, by, reason }),
  })
}

/** Writes down what somebody asked of a run through Temporal, and tells its try. */
export async function recordControl(deps: ActivityDeps, note: ControlNote): Promise<void> {
  const { fid, wanted, by, reason } = note
  await deps.store.runs.request(fid, { wanted, by, reason, at: deps.clock.now() / 1000 })
  await deps.transport.signals.publish([{ topic: 'control', fid }])
}

/** Asks the server to cancel the workflow that called; one that is over needs it no more. */
export async function requestCancel(deps: ActivityDeps): Promise<void> {
  const { workflowId, runId } = must(Context.current().info.workflowExecution, 'the calling workflow')
  await deps.cancelWorkflow(workflowId, runId)
}

/** Accepts an answer that came through Temporal; a refusal is seen by who sent it. */
export async function acceptAnswer(deps: ActivityDeps, request: AnswerRequest & { readonly fid: string }): Promise<void> {
  const { fid, lid, answer, by, reason } = request
  const outcome = await answerLock(deps.store, deps.clock, { fid, lid, answer, by: by ?? 'temporal', reason })
  switch (outcome.outcome) {
    case 'accepted':
      return deps.transport.signals.publish([{ topic: 'control', fid }])
    case 'answered':
      throw giveUp('answered', `Lock ${lid} was answered by ${outcome.by} already.`)
    case 'invalid':
      throw giveUp(
        'invalid_answer',
        `The answer does not fit the form: ${outcome.fields.map(({ path, message }) => `${path || 'answer'}: ${message}`).join('; ')}`,
      )
    default:
      throw giveUp(`${outcome.outcome}_lock`, `Lock ${lid} of run ${fid} is ${outcome.outcome}.`)
  }
}

async function endOf(deps: ActivityDeps, { fid, status, by, message }: FinaliseRequest): Promise<RunEnd> {
  if (status !== 'cancelled') return { status, error: { name: 'RunEnded', message } }
  const asked = await deps.store.runs.wanted(fid)
  return asked?.wanted === 'cancel' ? { status, by: asked.by, reason: asked.reason } : { status, by, reason: null }
}
