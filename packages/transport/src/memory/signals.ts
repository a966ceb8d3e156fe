import { UnavailableError } from '@koco/core'
import type { Signal, SignalBus } from '../port.ts'
import { SignalListeners } from '../signal-listeners.ts'

/** Signals within one process. Listeners are called in a later turn of the event loop, as over a network. */
export class MemorySignals implements SignalBus {
  readonly #listeners = new SignalListeners()
  #closed = false

  async publish(signals: readonly Signal[]): Promise<void> {
    if (this.#closed) return
    queueMicrotask(() => this.#listeners.deliver(signals, 'both'))
  }

  async subscribe<T extends Signal['topic']>(topic: T, fid: string, listener: (signal: Extract<Signal, { topic: T }>) => void): Promise<() => void> {
    if (this.#closed) throw new UnavailableError('The memory transport was closed.', { code: 'transport_closed' })
    return this.#listeners.add(topic, fid, listener)
  }

  /** Memory never loses its connection. */
  onReconnect(_listener: () => void): () => void {
    return () => {}
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#listeners.clear()
  }
}
