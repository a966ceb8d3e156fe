import type { Signal } from '@koco/transport'

const GATHER_MS = 50
/** Characters of one step that wait to be published; what comes on top is dropped: deltas may be lost. */
const CHARS_MAX = 64 * 1024
const STEPS_MAX = 256

/** Gathers pieces of live text for a short while and publishes them as one signal a step. */
export class Deltas {
  readonly #fid: string
  readonly #publish: (signals: readonly Signal[]) => Promise<void>
  readonly #texts = new Map<string | null, string>()
  #timer: NodeJS.Timeout | undefined

  constructor(fid: string, publish: (signals: readonly Signal[]) => Promise<void>) {
    this.#fid = fid
    this.#publish = publish
  }

  /** Adds a piece. */
  add(step: string | null, text: string): void {
    const before = this.#texts.get(step)
    if (before === undefined && this.#texts.size >= STEPS_MAX) return
    this.#texts.set(step, ((before ?? '') + text).slice(0, CHARS_MAX))
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS)
  }

  /** Publishes what has gathered. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#texts.size === 0) return
    const signals = [...this.#texts].map(([step, text]): Signal => ({ topic: 'delta', fid: this.#fid, step, text }))
    this.#texts.clear()
    // Live text that cannot be published is gone by contract; the closing event holds the whole.
    this.#publish(signals).catch(() => undefined)
  }
}
