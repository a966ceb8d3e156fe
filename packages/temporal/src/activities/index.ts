import { startDueById } from '@koco/flow'
import type { AgentActivities } from '../names.ts'
import { acceptAnswer, finaliseAgent, recordControl, requestCancel } from './bookkeeping.ts'
import type { ActivityDeps } from './deps.ts'
import { executeAgent } from './execute-agent.ts'
import { failureOf } from './failures.ts'

/** The activities of a worker: what fails in them for reasons of the infrastructure is tried again by the server. */
export function createActivities(deps: ActivityDeps): AgentActivities {
  return {
    executeAgent: (request) => tried(() => executeAgent(deps, request)),
    finaliseAgent: (request) => tried(() => finaliseAgent(deps, request)),
    recordControl: (note) => tried(() => recordControl(deps, note)),
    requestCancel: () => tried(() => requestCancel(deps)),
    startScheduled: ({ id, at }) => tried(() => startDueById(deps, id, at, deps.clock.now())),
    acceptAnswer: (request) => tried(() => acceptAnswer(deps, request)),
  }
}

async function tried<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw failureOf(error)
  }
}
