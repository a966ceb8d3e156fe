import { isJsonObject, type Json } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'

const CHARS_MAX = 200_000

/** Text of models while it is written, by step (empty for outside steps). It is replaced by the event that closes it, which holds the whole text. */
export class LiveText {
  #texts = new Map<string, string>()

  get texts(): ReadonlyMap<string, string> {
    return this.#texts
  }

  /** Adds a delta; the beginning of a very long text is let go. False when it holds no text. */
  add(data: Json): boolean {
    if (!isJsonObject(data) || typeof data['text'] !== 'string' || data['text'] === '') return false
    const step = typeof data['step'] === 'string' ? data['step'] : ''
    this.#texts = new Map(this.#texts).set(step, ((this.#texts.get(step) ?? '') + data['text']).slice(-CHARS_MAX))
    return true
  }

  /** Lets go of what an event says in full: a model's answer, an agent's text, the end of a step, a new try. */
  closeBy(event: TimelineEvent): void {
    if (this.#texts.size === 0) return
    if (event.kind === 'attempt' || event.kind === 'final') this.#texts = new Map()
    else if (event.kind === 'model' || event.kind === 'agent' || event.kind === 'result') this.#drop(event.step ?? '')
    else if (event.kind === 'step' && isJsonObject(event.data) && event.data['phase'] !== 'started')
      this.#drop(typeof event.data['id'] === 'string' ? event.data['id'] : '')
  }

  clear(): void {
    this.#texts = new Map()
  }

  #drop(step: string): void {
    if (!this.#texts.has(step)) return
    this.#texts = new Map(this.#texts)
    this.#texts.delete(step)
  }
}
