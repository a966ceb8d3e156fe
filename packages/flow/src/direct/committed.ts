import { parsePosition, type Position } from '@koco/core'
import type { SignalBus } from '@koco/transport'

type Listener = (position: Position) => void

/** One subscription to what the store commits, handed on to whoever waits for a run. */
export class Committed {
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #endListeners = new Set<(fid: string) => void>()
  #unsubscribe: (() => void) | undefined

  /** Stands when it resolves. */
  async open(signals: SignalBus): Promise<void> {
    this.#unsubscribe = await signals.subscribe('committed', '*', ({ fid, position, ended }) => {
      if (ended) for (const listener of this.#endListeners) listener(fid)
      const listeners = this.#listeners.get(fid)
      const at = listeners && parsePosition(position)
      if (at) for (const listener of listeners) listener(at)
    })
  }

  /** Calls `listener` when the store has come further with a run; the result ends it. */
  on(fid: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(fid) ?? new Set()
    this.#listeners.set(fid, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(fid) === listeners) this.#listeners.delete(fid)
    }
  }

  /** Calls `listener` for each run that has ended; the result ends it. */
  onEnded(listener: (fid: string) => void): () => void {
    this.#endListeners.add(listener)
    return () => this.#endListeners.delete(listener)
  }

  close(): void {
    this.#unsubscribe?.()
  }
}
