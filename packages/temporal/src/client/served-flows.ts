import type { Clock } from '@koco/flow'
import type { FlowRegistry, ListedFlow } from '@koco/storage'

const FRESH_MS = 1000

/** The flows that workers have registered, by name, at most a second old; a name that is not among them is looked for anew. */
export class ServedFlows {
  readonly #registry: FlowRegistry
  readonly #clock: Clock
  #known: ReadonlyMap<string, ListedFlow> = new Map()
  #readAt = Number.NEGATIVE_INFINITY

  constructor(registry: FlowRegistry, clock: Clock) {
    this.#registry = registry
    this.#clock = clock
  }

  async get(name: string): Promise<ListedFlow | undefined> {
    if (!this.#known.has(name) || this.#clock.now() - this.#readAt > FRESH_MS) await this.#read()
    return this.#known.get(name)
  }

  /** The flow as it is served at this moment. */
  async newest(name: string): Promise<ListedFlow | undefined> {
    await this.#read()
    return this.#known.get(name)
  }

  /** All names, in order. */
  async names(): Promise<string[]> {
    await this.#read()
    return [...this.#known.keys()].toSorted()
  }

  async #read(): Promise<void> {
    const flows = await this.#registry.list()
    this.#known = new Map(flows.map((flow) => [flow.name, flow]))
    this.#readAt = this.#clock.now()
  }
}
