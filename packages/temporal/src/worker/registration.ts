import { hostname } from 'node:os'
import { flowEntry, type Catalog, type Clock } from '@koco/flow'
import type { FlowRegistry } from '@koco/storage'
import type { Log } from '../log.ts'

/** What a registration says, and where. */
export type RegistrationOptions = {
  readonly id: string
  readonly flows: FlowRegistry
  readonly catalog: Catalog
  readonly clock: Clock
  readonly log: Log
}

const HEARTBEAT_MS = 15_000

/** Keeps a worker and its flows in the catalogue while it lives. */
export class Registration {
  readonly #options: RegistrationOptions
  #timer: NodeJS.Timeout | undefined
  #offCatalog: () => void = () => undefined
  #beating: Promise<void> = Promise.resolve()

  constructor(options: RegistrationOptions) {
    this.#options = options
  }

  /** The catalogue has it when this resolves. */
  async open(): Promise<void> {
    await this.#beat()
    this.#timer = setInterval(() => this.#beatAgain(), HEARTBEAT_MS)
    this.#offCatalog = this.#options.catalog.onChange(() => this.#beatAgain())
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#offCatalog()
    // It would put this worker on the list again behind its leaving.
    await this.#beating
    const { id, flows, log } = this.#options
    await flows.leave(id).catch((error: unknown) => log('warn', 'this worker could not be taken off the list of workers', error))
  }

  #beatAgain(): void {
    const failed = (error: unknown): void => this.#options.log('warn', 'the list of served flows could not be stored', error)
    this.#beating = this.#beating.then(() => this.#beat()).catch(failed)
  }

  #beat(): Promise<void> {
    const { id, flows, catalog, clock } = this.#options
    return flows.heartbeat({ id, launcher: 'temporal', host: hostname(), pid: process.pid, seenAt: clock.now() / 1000 }, catalog.list().map(flowEntry))
  }
}
