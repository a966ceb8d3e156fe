import { WorkflowNotFoundError } from '@temporalio/client'
import type { TemporalServer } from '../client/server.ts'
import { AGENT_WORKFLOW } from '../names.ts'

/** What Temporal knows of a run's workflow. `idle`: open, and no try is at work or asked for. `by` and `reason`: who closed it and why, as far as Temporal has it. */
export type WorkflowState =
  | { readonly is: 'unknown' }
  | { readonly is: 'open'; readonly idle: boolean }
  | { readonly is: 'closed'; readonly how: ClosedAs; readonly closedAt: number; readonly by: string; readonly reason: string }

/** The ways in which a workflow closes. */
export type ClosedAs = 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out'

const CLOSED: Readonly<Record<string, ClosedAs>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed_out',
}

/** Asks Temporal for the newest workflow with an id. UnavailableError when it does not answer. */
export async function workflowState(server: TemporalServer, workflowId: string): Promise<WorkflowState> {
  try {
    const described = await server.call('describe a run', (client) => client.workflow.getHandle(workflowId).describe())
    const how = CLOSED[described.status.name]
    if (how === undefined) return { is: 'open', idle: (described.raw.pendingActivities ?? []).length === 0 }
    const { by, reason } = await closing(server, workflowId, described.runId)
    return { is: 'closed', how, closedAt: described.closeTime?.getTime() ?? Date.now(), by, reason }
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { is: 'unknown' }
    throw error
  }
}

/** Who closed a workflow and why, from its last event. */
async function closing(server: TemporalServer, workflowId: string, runId: string): Promise<{ readonly by: string; readonly reason: string }> {
  const { namespace } = server.settings
  const request = { namespace, execution: { workflowId, runId }, maximumPageSize: 1 }
  const { history } = await server.call('read the end of a run', ({ workflowService }) => workflowService.getWorkflowExecutionHistoryReverse(request))
  const last = history?.events?.[0]
  const { identity, reason } = last?.workflowExecutionTerminatedEventAttributes ?? {}
  return { by: identity || 'temporal', reason: reason ?? last?.workflowExecutionFailedEventAttributes?.failure?.message ?? '' }
}

/** Closes a workflow as the Terminate button of Temporal's page does: nothing of koco hears of it. */
export async function terminateWorkflow(server: TemporalServer, workflowId: string, reason: string): Promise<void> {
  await server.call('terminate a run', (client) => client.workflow.getHandle(workflowId).terminate(reason))
}

/** The open workflows of runs on the installation's queue, id and start in unix ms, as Temporal's visibility has them: it may be a second late. */
export async function openWorkflows(server: TemporalServer): Promise<ReadonlyMap<string, number>> {
  const open = new Map<string, number>()
  const query = `${ofRuns(server)} AND ExecutionStatus = 'Running'`
  for await (const { workflowId, startTime } of server.client.workflow.list({ query, pageSize: 1000 })) open.set(workflowId, startTime.getTime())
  return open
}

/** True when Temporal knows of any run of the installation, open or closed. */
export async function knowsAny(server: TemporalServer): Promise<boolean> {
  return (await server.call('count runs', (client) => client.workflow.count(ofRuns(server)))).count > 0
}

function ofRuns({ settings }: TemporalServer): string {
  return `WorkflowType = '${AGENT_WORKFLOW}' AND TaskQueue = '${settings.taskQueue.replaceAll("'", "''")}'`
}
