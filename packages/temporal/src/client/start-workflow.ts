import { ServiceError, WorkflowExecutionAlreadyStartedError, type WorkflowStartOptions } from '@temporalio/client'
import { AGENT_WORKFLOW, SEARCH_ATTRIBUTES, type AgentRun } from '../names.ts'
import type { ChildStarts } from './child-starts.ts'
import { SearchAttributes } from './search-attributes.ts'
import type { TemporalServer } from './server.ts'

/** What differs from run to run. */
export type WorkflowStart = Pick<AgentRun, 'fid' | 'flow' | 'version' | 'user' | 'reason' | 'parent'>

/** Starts the workflows of runs, each at most once at a time. */
export class WorkflowStarter {
  readonly #server: TemporalServer
  readonly #attributes: SearchAttributes
  readonly #historyMax: number
  readonly #children: ChildStarts | undefined

  /** `children`: by them the workflows of runs that have a parent are started, as children of its workflow. */
  constructor(server: TemporalServer, historyMax: number, children?: ChildStarts) {
    this.#server = server
    this.#attributes = new SearchAttributes(server)
    this.#historyMax = historyMax
    this.#children = children
  }

  workflowId(fid: string): string {
    return `${this.#server.settings.workflowIdPrefix}${fid}`
  }

  /** True when the workflow was started; false when one of this run is open or, for a first start, has ever been. UnavailableError when nobody knows. */
  async start(start: WorkflowStart): Promise<boolean> {
    const searchable = await this.#attributes.ready()
    try {
      return await this.#start(start, searchable)
    } catch (error) {
      if (!searchable || !isAboutAttributes(error)) throw error
      this.#attributes.missing()
      return this.#start(start, false)
    }
  }

  async #start(start: WorkflowStart, searchable: boolean): Promise<boolean> {
    const { taskQueue, executionTimeoutS } = this.#server.settings
    const { fid, flow, user, reason } = start
    const timeoutMs = executionTimeoutS === null ? null : executionTimeoutS * 1000
    const run: AgentRun = { ...start, searchable, statusOnce: true, timesOut: true, taskQueue, historyMax: this.#historyMax, paused: false, endedChildren: [] }
    if (this.#children && reason === 'start' && start.parent !== null) {
      this.#children.add(start.parent, { run, timeoutMs })
      return true
    }
    const options: WorkflowStartOptions = {
      workflowId: this.workflowId(fid),
      taskQueue,
      args: [run],
      memo: { flow, user, ...(!searchable && { status: 'starting' }), ...(start.parent !== null && { parent: start.parent }) },
      workflowIdReusePolicy: reason === 'retry' ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      ...(searchable && { searchAttributes: { [SEARCH_ATTRIBUTES.flow]: [flow], [SEARCH_ATTRIBUTES.user]: [user], [SEARCH_ATTRIBUTES.status]: ['starting'] } }),
      ...(timeoutMs !== null && { workflowExecutionTimeout: timeoutMs }),
    }
    try {
      await this.#server.call('start a run', (client) => client.workflow.start(AGENT_WORKFLOW, options))
      return true
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false
      throw error
    }
  }
}

function isAboutAttributes(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return (cause instanceof ServiceError || cause instanceof Error) && /search attribute/i.test(cause.message)
}
