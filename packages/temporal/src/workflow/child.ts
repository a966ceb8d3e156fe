import { CancellationScope, ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow'
import { AGENT_WORKFLOW, SEARCH_ATTRIBUTES, type WorkflowStart } from '../names.ts'

/**
 * Starts the workflows of child runs as children of this one; told of one twice, it starts one. Cancels go down by koco, with who asked and why, and a parent that ends otherwise leaves its
 * children alone: so neither its cancellation nor its end reaches them through Temporal.
 */
export async function startChildRuns(children: readonly WorkflowStart[]): Promise<void> {
  await Promise.all(children.map(startChildRun))
}

async function startChildRun({ run, timeoutMs }: WorkflowStart): Promise<void> {
  const { fid, flow, user, parent, searchable, taskQueue } = run
  const workflowId = workflowInfo().workflowId.slice(0, -fid.length) + fid
  const start = (): Promise<unknown> =>
    startChild(AGENT_WORKFLOW, {
      workflowId,
      taskQueue,
      args: [run],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      memo: { flow, user, ...((!searchable || run.statusOnce !== true) && { status: 'starting' }), ...(parent !== null && { parent }) },
      ...(searchable && { searchAttributes: { [SEARCH_ATTRIBUTES.flow]: [flow], [SEARCH_ATTRIBUTES.user]: [user], [SEARCH_ATTRIBUTES.status]: ['starting'] } }),
      ...(timeoutMs !== null && { workflowExecutionTimeout: timeoutMs }),
    })
  try {
    await CancellationScope.nonCancellable(start)
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error
  }
}
