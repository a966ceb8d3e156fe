import { ServiceError, WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import { AGENT_WORKFLOW, type AgentRun, type WorkflowStart } from '../names.ts'
import type { ChildStarts } from './child-starts.ts'
import { SearchAttributes } from './search-attributes.ts'
import type { TemporalServer } from './server.ts'
import { workflowOptions } from './workflow-options.ts'
import type { WorkerStarts } from './worker-starts.ts'

/** What differs from run to run. */
export type StartedRun = Pick<AgentRun, 'fid' | 'flow' | 'version' | 'user' | 'reason' | 'parent'>

/** What a starter needs besides the server. `children`: by them the workflows of runs that have a parent are started, as children of its workflow. */
export type StarterOptions = { readonly historyMax: number; readonly workers: WorkerStarts; readonly children?: ChildStarts | undefined }

/** Starts the workflows of runs, each at most once at a time. */
export class WorkflowStarter {
  readonly #server: TemporalServer
  readonly #attributes: SearchAttributes
  readonly #options: StarterOptions

  constructor(server: TemporalServer, options: StarterOptions) {
    this.#server = server
    this.#attributes = new SearchAttributes(server)
    this.#options = options
  }

  workflowId(fid: string): string {
    return `${this.#server.settings.workflowIdPrefix}${fid}`
  }

  /** True when the workflow was started; false when one of this run is open or, for a first start, has ever been. UnavailableError when nobody knows. */
  async start(run: StartedRun): Promise<boolean> {
    const searchable = await this.#attributes.ready()
    try {
      return await this.#start(run, searchable)
    } catch (error) {
      if (!searchable || !isAboutAttributes(error)) throw error
      this.#attributes.missing()
      return this.#start(run, false)
    }
  }

  async #start(started: StartedRun, searchable: boolean): Promise<boolean> {
    const { historyMax, workers, children } = this.#options
    const { taskQueue, executionTimeoutS } = this.#server.settings
    const run: AgentRun = { ...started, searchable, statusOnce: true, timesOut: true, taskQueue, historyMax, paused: false, endedChildren: [] }
    const start: WorkflowStart = { run, timeoutMs: executionTimeoutS === null ? null : executionTimeoutS * 1000 }
    // A retry may be started twice, one after the other: only who asks the server itself knows that it is once.
    const isFirst = run.reason === 'start'
    if (children && isFirst && run.parent !== null) {
      children.add(run.parent, start)
      return true
    }
    return (isFirst ? await workers.start(start) : undefined) ?? (await this.#startHere(start))
  }

  async #startHere(start: WorkflowStart): Promise<boolean> {
    const options = workflowOptions(this.#server.settings.workflowIdPrefix, start)
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
