import { Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import type { NativeConnection } from '@temporalio/worker'
import type { Handover } from '@koco/transport'
import type { TemporalSettings } from '../client/server.ts'
import { workflowOptions } from '../client/workflow-options.ts'
import { AGENT_WORKFLOW, type WorkflowStart } from '../names.ts'

const START_MS = 5000
/** Starts under way at once; who asks for more does them itself. */
export const STARTS_MAX = 500

/** What a worker needs to start workflows for launchers: the link that its own polls use, by which the server knows that it may hand over the first task at once. */
export type EagerStartsOptions = {
  readonly id: string
  readonly handover: Handover
  readonly connection: NativeConnection
  readonly settings: TemporalSettings
}

/** Starts workflows for who asks, until the result is called. With no place for a task free here they are started all the same, and wait on the queue. */
export function serveStarts({ id, handover, connection, settings }: EagerStartsOptions): Promise<() => void> {
  const client = new Client({ connection, namespace: settings.namespace })
  const start = async (asked: WorkflowStart): Promise<boolean> => {
    const options = { ...workflowOptions(settings.workflowIdPrefix, asked), requestEagerStart: true }
    try {
      await connection.withDeadline(Date.now() + START_MS, () => client.workflow.start(AGENT_WORKFLOW, options))
      return true
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false
      throw error
    }
  }
  let open = 0
  return handover.serve(id, async (request) => {
    if (open >= STARTS_MAX) throw new Error('too many starts are under way here')
    open += 1
    try {
      return { started: await start(request as WorkflowStart) }
    } finally {
      open -= 1
    }
  })
}
