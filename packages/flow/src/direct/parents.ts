import { isEnded } from '@koco/core'
import type { ExecutionStore } from '@koco/storage'
import { childrenOf } from '../children/stored-children.ts'

/**
 * Which parked runs wait for which children. A parent goes on when all runs of one of its groups have ended: it hears of that by `ended`, and by what the store says
 * whenever somebody looks.
 */
export class Parents {
  readonly #store: Pick<ExecutionStore, 'runs'>
  readonly #wake: (parent: string) => void
  readonly #groups = new Map<string, readonly Set<string>[]>()
  readonly #parents = new Map<string, string>()

  /** Calls `wake` for a parent that may go on. */
  constructor(store: Pick<ExecutionStore, 'runs'>, wake: (parent: string) => void) {
    this.#store = store
    this.#wake = wake
  }

  /** A parent waits for these groups and for no others any more; looks whether one has ended meanwhile. */
  async wait(parent: string, groups: readonly (readonly string[])[]): Promise<void> {
    this.#set(parent, groups)
    if (groups.length > 0) await this.#look(parent)
  }

  /** A parent waits that was parked by another process: which children for, only its function knows. So it is woken when one has ended, now or later. */
  async waitForAny(parent: string): Promise<void> {
    const live: string[] = []
    let over = false
    for await (const { fid, status } of childrenOf(this.#store, parent)) {
      if (isEnded(status)) over = true
      else live.push(fid)
    }
    if (over) this.#wake(parent)
    else
      await this.wait(
        parent,
        live.map((fid) => [fid]),
      )
  }

  /** A parent waits no more. */
  forget(parent: string): void {
    for (const group of this.#groups.get(parent) ?? []) for (const child of group) this.#parents.delete(child)
    this.#groups.delete(parent)
  }

  /** A run has ended. */
  ended(child: string): void {
    const parent = this.#parents.get(child)
    const groups = parent === undefined ? undefined : this.#groups.get(parent)
    if (parent === undefined || !groups) return
    this.#parents.delete(child)
    for (const group of groups) group.delete(child)
    if (groups.some((group) => group.size === 0)) this.#wake(parent)
  }

  /** Looks again at the children of all: signals may be lost. */
  async lookAgain(): Promise<void> {
    for (const parent of this.#groups.keys()) await this.#look(parent)
  }

  async #look(parent: string): Promise<void> {
    for await (const { fid, status } of childrenOf(this.#store, parent)) {
      if (!this.#groups.has(parent)) return
      if (isEnded(status)) this.ended(fid)
    }
  }

  #set(parent: string, groups: readonly (readonly string[])[]): void {
    this.forget(parent)
    if (groups.length === 0) return
    this.#groups.set(
      parent,
      groups.map((group) => new Set(group)),
    )
    for (const child of groups.flat()) this.#parents.set(child, parent)
  }
}
