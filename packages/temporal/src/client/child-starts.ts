import { WorkflowNotFoundError } from '@temporalio/client'
import type { Log } from '../log.ts'
import { SIGNALS, type WorkflowStart } from '../names.ts'
import type { TemporalServer } from './server.ts'

/** Starts of one parent that follow each other so soon (ms) are told together: each signal costs the server and the parent's history. */
const GATHER_MS = 50
const SIGNAL_MAX = 100

/**
 * Tells the workflows of runs which children to start. The children are in the store before; what the death of this worker leaves untold is found there by the next try, and
 * `settle` comes before the end of each.
 */
export class ChildStarts {
  readonly #server: TemporalServer
  readonly #log: Log
  readonly #waiting = new Map<string, { readonly children: WorkflowStart[]; readonly timer: NodeJS.Timeout }>()

  constructor(server: TemporalServer, log: Log) {
    this.#server = server
    this.#log = log
  }

  /** Tells the parent's workflow soon. */
  add(parent: string, ...children: readonly WorkflowStart[]): void {
    const waiting = this.#waiting.get(parent)
    if (waiting) waiting.children.push(...children)
    else this.#waiting.set(parent, { children: [...children], timer: setTimeout(() => this.#send(parent), GATHER_MS) })
  }

  /** Tells what waits now; UnavailableError when that cannot be done: then it waits on. */
  async settle(parent: string): Promise<void> {
    const waiting = this.#waiting.get(parent)
    if (!waiting) return
    clearTimeout(waiting.timer)
    this.#waiting.delete(parent)
    const { children } = waiting
    try {
      for (; children.length > 0; children.splice(0, SIGNAL_MAX)) await this.#tell(parent, children.slice(0, SIGNAL_MAX))
    } catch (error) {
      this.add(parent, ...children)
      throw error
    }
  }

  /** Tells nobody any more. */
  close(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer)
    this.#waiting.clear()
  }

  #send(parent: string): void {
    this.settle(parent).catch((error: unknown) => this.#log('warn', `children of run ${parent} are started later`, error))
  }

  async #tell(parent: string, children: readonly WorkflowStart[]): Promise<void> {
    const workflowId = `${this.#server.settings.workflowIdPrefix}${parent}`
    try {
      await this.#server.call('start child runs', (client) => client.workflow.getHandle(workflowId).signal(SIGNALS.startChildren, children))
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error
      this.#log('warn', `the workflow of run ${parent} is over, and its last children were not started`)
    }
  }
}
