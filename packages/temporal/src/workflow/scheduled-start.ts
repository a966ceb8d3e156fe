import { workflowInfo } from '@temporalio/workflow'
import { bookkeeping } from './activities.ts'

/**
 * One start by a schedule. The run gets an id and a workflow of its own, as if a person had started it; this workflow only sees to it that it is started, however long the store
 * is away.
 */
export async function ScheduledStart(id: string): Promise<void> {
  await bookkeeping().startScheduled({ id, at: dueAt() })
}

/** When the start was due: the server appends it to the id of the workflow. A person who starts this type by hand means now. */
function dueAt(): number {
  const { workflowId, startTime } = workflowInfo()
  const due = Date.parse(/\d{4}-\d\d-\d\dT[\d:.]+Z$/.exec(workflowId)?.[0] ?? '')
  return Number.isNaN(due) ? startTime.getTime() : due
}
