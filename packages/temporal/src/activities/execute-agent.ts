import { randomUUID } from 'node:crypto'
import { Context, type ApplicationFailure } from '@temporalio/activity'
import { isEnded, type EndedStatus, type RunState } from '@koco/core'
import { childrenOf, executeTry, storedChildren, type Flow, type TryDeps, type TryOutcome } from '@koco/flow'
import { activityQueue, type TryRequest, type TryResult } from '../names.ts'
import type { ActivityDeps } from './deps.ts'
import { giveUp, shorten, tryAgain } from './failures.ts'
import { openProducer } from './open-producer.ts'
import { TryLife, type HeartbeatDetails } from './try-life.ts'

/** One try of a run in one activity. Its epoch is the time at which the server scheduled this very try: it grows with each, whatever `attempt` says. */
export async function executeAgent(deps: ActivityDeps, request: TryRequest): Promise<TryResult> {
  const context = Context.current()
  const run = await deps.store.runs.get(request.fid)
  if (!run) throw giveUp('unknown_run', `Run ${request.fid} is not in the store.`)
  const flow = deps.catalog.get(run.flow)
  // A worker whose flows were just replaced may still get a try of the version before.
  if (!flow || context.info.taskQueue !== activityQueue(deps.taskQueue, flow.name, flow.version)) {
    throw tryAgain('unknown_flow', `This worker (${deps.owner}) does not serve this version of flow "${run.flow}" any more.`, 'later')
  }
  if (deps.stop.aborted) throw released(deps)
  const again = context.info.attempt > 1
  if (again || request.reason === 'recover') await startUntold(deps, run.fid)
  if (isEnded(run.status) && request.reason !== 'retry') return resultOfEnded(run, run.status)
  const reason = again && !(request.reason === 'retry' && isEnded(run.status)) ? 'recover' : request.reason
  using life = new TryLife(context, request.fid, deps)
  let outcome: TryOutcome
  try {
    outcome = await executeTry(tryDeps(deps, life, run, flow, reason))
  } finally {
    // The workflow must know of them before it can close.
    await deps.childStarts.settle(run.fid)
  }
  // By the workflow the next try comes at once, by the server's timer within a second. What a retry, or an earlier try of this activity, has left to be told is known to the server only.
  if (outcome.outcome === 'released' && request.releases === true && request.reason !== 'retry' && !again) return { outcome: 'released', reason: 'recover' }
  return resultOf(deps, life, run, outcome)
}

function tryDeps(deps: ActivityDeps, life: TryLife, run: RunState, flow: Flow, reason: TryRequest['reason']): TryDeps {
  const { info } = Context.current()
  const details = info.heartbeatDetails as HeartbeatDetails
  return {
    flow,
    run: { fid: run.fid, user: run.user, inputs: run.inputs, parent: run.parent },
    producer: openProducer(deps, run, info.currentAttemptScheduledTimestampMs),
    reader: deps.store.reader,
    sessions: deps.store.sessions,
    requests: life.requests,
    children: storedChildren({ store: deps.store, launcher: deps.launcher, onEnded: (listener) => deps.news.onEnded(listener), run }),
    attempt: Math.max(run.attempt + 1, info.attempt),
    reason,
    owner: deps.owner,
    ...(details && { lost: details.lost }),
    stop: deps.stop,
    stopNow: life.stopNow,
    clock: deps.clock,
    random: Math.random,
    uuid: randomUUID,
    onCommitted: (listener) => deps.news.onCommitted(run.fid, listener),
    publish: (signals) => deps.transport.signals.publish(signals),
    log: deps.log,
    limits: deps.limits,
    files: deps.files,
    workspaces: deps.workspaces,
    contents: deps.contents,
    budgets: deps.budgets,
  }
}

/** Starts the children again of which the try that was lost may not have told the workflow; those that it knows are not started twice. */
async function startUntold(deps: ActivityDeps, parent: string): Promise<void> {
  for await (const { fid, status } of childrenOf(deps.store, parent)) {
    const child = status === 'starting' ? await deps.store.runs.get(fid) : undefined
    if (child) await deps.launcher.start({ fid, flow: child.flow, inputs: child.inputs, user: child.user, idempotencyKey: null, parent })
  }
  await deps.childStarts.settle(parent)
}

async function resultOf(deps: ActivityDeps, life: TryLife, run: RunState, outcome: TryOutcome): Promise<TryResult> {
  switch (outcome.outcome) {
    case 'finished':
    case 'cancelled':
      return { outcome: outcome.outcome }
    case 'suspended':
      return outcome
    case 'failed':
      return { outcome: 'failed', message: shorten(`${outcome.error.name}: ${outcome.error.message}`) }
    case 'timed_out':
      return { outcome: 'timed_out', message: `The run worked longer than the limit of its flow "${run.flow}".` }
    case 'ended':
      return resultOfEnded((await deps.store.runs.get(run.fid)) ?? run, outcome.status as EndedStatus)
    default:
      throw notDone(deps, life, outcome)
  }
}

/** The try came to no end; the server starts the next one, elsewhere or here. */
function notDone(deps: ActivityDeps, life: TryLife, outcome: Extract<TryOutcome, { outcome: 'fenced' | 'lost' | 'released' }>): ApplicationFailure {
  switch (outcome.outcome) {
    case 'fenced':
      return tryAgain('fenced', 'A later try of this run has written; this one writes nothing more.', 'later')
    case 'lost':
      life.leave({ lost: { from: outcome.from, to: outcome.to } })
      return tryAgain('events_lost', `Events ${outcome.from} to ${outcome.to} are lost; the next try says so in the timeline.`, 'once')
    default:
      return released(deps)
  }
}

function released(deps: ActivityDeps): ApplicationFailure {
  return tryAgain('released', `Worker ${deps.owner} stops; the run continues elsewhere.`, 'once')
}

/** A run whose end is stored already: an earlier try of this activity wrote it and died before it could answer. */
function resultOfEnded(run: RunState, status: EndedStatus): TryResult {
  switch (status) {
    case 'finished':
    case 'cancelled':
      return { outcome: status }
    case 'timed_out':
      return { outcome: 'timed_out', message: 'The run worked longer than its limit.' }
    default:
      return { outcome: 'failed', message: shorten(run.error?.message ?? 'The run failed.') }
  }
}
