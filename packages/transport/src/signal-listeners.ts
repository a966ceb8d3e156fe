import type { Signal } from './port.ts'

type Listener = (signal: Signal) => void

/** Who wants which signals in this process, by topic and run; `*` stands for every run. */
export class SignalListeners {
  readonly #byKey = new Map<string, Set<Listener>>()

  /** Adds a listener; the result takes it away again and may be called twice. */
  add<T extends Signal['topic']>(topic: T, fid: string, listener: (signal: Extract<Signal, { topic: T }>) => void): () => void {
    const key = `${topic}:${fid}`
    const set = this.#byKey.get(key) ?? new Set<Listener>()
    this.#byKey.set(key, set)
    // A listener of its own for each call, so that the same function may subscribe twice.
    const own: Listener = (signal) => listener(signal as Extract<Signal, { topic: T }>)
    set.add(own)
    return () => {
      set.delete(own)
      if (set.size === 0 && this.#byKey.get(key) === set) this.#byKey.delete(key)
    }
  }

  /**
   * Calls the listeners of each signal: those of its run, those of all runs, or both. One that throws does not keep the others from theirs; its error surfaces as an
   * uncaught exception.
   */
  deliver(signals: readonly Signal[], to: 'one' | 'all' | 'both'): void {
    for (const signal of signals) {
      if (to !== 'all') this.#call(`${signal.topic}:${signal.fid}`, signal)
      if (to !== 'one') this.#call(`${signal.topic}:*`, signal)
    }
  }

  #call(key: string, signal: Signal): void {
    const listeners = this.#byKey.get(key)
    if (!listeners) return
    for (const listener of Array.from(listeners)) {
      try {
        listener(signal)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  clear(): void {
    this.#byKey.clear()
  }
}
