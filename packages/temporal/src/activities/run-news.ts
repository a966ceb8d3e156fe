import { parsePosition, type Position } from '@koco/core'
import type { SignalBus } from '@koco/transport'

type Committed = (position: Position) => void

/** One subscription a process to what the store commits and to what people ask, handed on to the tries that it concerns. */
export class RunNews {
  readonly #committed = new Map<string, Set<Committed>>()
  readonly #control = new Map<string, Set<() => void>>()
  readonly #ended = new Set<(fid: string) => void>()
  #ends: (() => void)[] = []

  /** The subscriptions stand when it resolves. After a reconnect of the bus everybody is told to look again: something may have been missed. */
  async open(signals: SignalBus): Promise<void> {
    const committed = await signals.subscribe('committed', '*', ({ fid, position, ended }) => {
      if (ended) for (const listener of this.#ended) listener(fid)
      const at = parsePosition(position)
      if (at) for (const listener of this.#committed.get(fid) ?? []) listener(at)
    })
    const control = await signals.subscribe('control', '*', ({ fid }) => {
      for (const listener of this.#control.get(fid) ?? []) listener()
    })
    const reconnected = signals.onReconnect(() => {
      for (const listeners of this.#control.values()) for (const listener of listeners) listener()
    })
    this.#ends = [committed, control, reconnected]
  }

  /** Calls `listener` when the store has come further with a run; the result ends it. */
  onCommitted(fid: string, listener: Committed): () => void {
    return listen(this.#committed, fid, listener)
  }

  /** Calls `listener` when somebody asked something of a run; the result ends it. */
  onControl(fid: string, listener: () => void): () => void {
    return listen(this.#control, fid, listener)
  }

  /** Calls `listener` for each run that has ended; the result ends it. */
  onEnded(listener: (fid: string) => void): () => void {
    this.#ended.add(listener)
    return () => this.#ended.delete(listener)
  }

  close(): void {
    for (const end of this.#ends) end()
  }
}

function listen<T>(all: Map<string, Set<T>>, fid: string, listener: T): () => void {
  const listeners = all.get(fid) ?? new Set<T>()
  all.set(fid, listeners.add(listener))
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0 && all.get(fid) === listeners) all.delete(fid)
  }
}
