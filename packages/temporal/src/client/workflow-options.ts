import type { WorkflowStartOptions } from '@temporalio/client'
import { SEARCH_ATTRIBUTES, type AgentRun, type WorkflowStart } from '../names.ts'

/** How the server is asked to start the workflow of a run: each at most once, and once only unless the run is retried. */
export function workflowOptions(workflowIdPrefix: string, { run, timeoutMs }: WorkflowStart): WorkflowStartOptions {
  const { fid, flow, user, reason, parent, searchable, taskQueue } = run
  return {
    workflowId: `${workflowIdPrefix}${fid}`,
    taskQueue,
    args: [run satisfies AgentRun],
    memo: { flow, user, ...(!searchable && { status: 'starting' }), ...(parent !== null && { parent }) },
    workflowIdReusePolicy: reason === 'retry' ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    ...(searchable && { searchAttributes: { [SEARCH_ATTRIBUTES.flow]: [flow], [SEARCH_ATTRIBUTES.user]: [user], [SEARCH_ATTRIBUTES.status]: ['starting'] } }),
    ...(timeoutMs !== null && { workflowExecutionTimeout: timeoutMs }),
  }
}
