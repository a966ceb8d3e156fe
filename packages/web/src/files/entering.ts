import type { Sending } from './sending.ts'

/**
 * The files that a person has given to a form and that are not among its data yet, because the server has not named them. Who sends the form waits
 * for them, so that none is left out.
 */
export class Entering {
  readonly #files = new Map<Sending, () => void>()
  readonly #listeners = new Set<() => void>()

  /** True while a file is not among the data. */
  get any(): boolean {
    return this.#files.size > 0
  }

  add(file: Sending): void {
    this.#files.set(file, file.subscribe(this.#changed))
  }

  /** Says which ids are among the data of a field. */
  entered(ids: readonly string[]): void {
    for (const file of this.#files.keys()) if (file.state.id !== null && ids.includes(file.state.id)) this.leave(file)
  }

  /** Says that a file will not become part of the data, or is. */
  leave(file: Sending): void {
    this.#files.get(file)?.()
    this.#files.delete(file)
    this.#changed()
  }

  /** Resolves when every file is among the data; rejects with the words of the first that does not go on by itself. */
  async over(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = (): void => {
      const stuck = [...this.#files.keys()].find((file) => file.stuck !== undefined)
      if (stuck) reject(new Error(stuck.stuck))
      else if (!this.any) resolve()
    }
    this.#listeners.add(look)
    look()
    await promise.finally(() => this.#listeners.delete(look))
  }

  readonly #changed = (): void => {
    for (const listener of this.#listeners) listener()
  }
}
