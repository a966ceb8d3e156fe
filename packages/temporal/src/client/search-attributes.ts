import { UnavailableError } from '@koco/core'
import { SEARCH_ATTRIBUTES } from '../names.ts'
import type { TemporalServer } from './server.ts'

/** `temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD` */
const KEYWORD = 2
/** After a failed look the server is asked again at the first start that comes later than this. */
const AGAIN_MS = 60_000
/** A server takes a moment to know an attribute everywhere after it was added. */
const SETTLE_LOOKS = 40
const SETTLE_MS = 50

/** Whether runs can be searched for by flow, user and status on this server: makes the attributes when it may, else the memo alone says it. */
export class SearchAttributes {
  readonly #server: TemporalServer
  #known: Promise<boolean> | undefined
  #againAt = 0

  constructor(server: TemporalServer) {
    this.#server = server
  }

  /** True when all attributes are there. Never throws but UnavailableError, when the server is away. */
  async ready(): Promise<boolean> {
    this.#known ??= this.#make()
    try {
      const known = await this.#known
      if (!known && Date.now() >= this.#againAt) this.#known = undefined
      return known
    } catch (error) {
      this.#known = undefined
      throw error
    }
  }

  /** A start was refused because of them: the memo has to do for a while. */
  missing(): void {
    this.#againAt = Date.now() + AGAIN_MS
    this.#known = Promise.resolve(false)
  }

  async #make(): Promise<boolean> {
    try {
      let missing = await this.#missing()
      if (missing.length > 0) await this.#add(missing)
      for (let look = 0; missing.length > 0 && look < SETTLE_LOOKS; look += 1) {
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
        missing = await this.#missing()
      }
      if (missing.length === 0) return true
    } catch (error) {
      if (error instanceof UnavailableError) throw error
      // A server that does not let us look or add: not an error, only less to search by.
    }
    this.#againAt = Date.now() + AGAIN_MS
    return false
  }

  async #missing(): Promise<string[]> {
    const { namespace } = this.#server.settings
    const listed = await this.#server.call('list search attributes', () => this.#server.connection.operatorService.listSearchAttributes({ namespace }))
    return Object.values(SEARCH_ATTRIBUTES).filter((name) => listed.customAttributes[name] === undefined)
  }

  async #add(names: readonly string[]): Promise<void> {
    const { namespace } = this.#server.settings
    const searchAttributes = Object.fromEntries(names.map((name) => [name, KEYWORD]))
    await this.#server.call('add search attributes', () => this.#server.connection.operatorService.addSearchAttributes({ namespace, searchAttributes }))
  }
}
