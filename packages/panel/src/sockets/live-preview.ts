import { isJsonObject, parseJson, type EventData, type EventRecord } from '@koco/core'
import { textOfContent } from '@koco/storage'
import type { HeardTurn } from './live-words.ts'

/** A piece of text that is not stored yet, and where in the message that is being written it goes. */
export type LivePiece = { readonly offset: number; readonly text: string }

/** The message that is being written, as far as it is stored. */
export type Writing = { readonly step: string | null; readonly text: string }

/**
 * What a client may be shown of a turn before it is stored. It holds the live text of each step against what is stored of it, and gives only what goes on from there: who came in the middle of a message, missed a
 * piece, or sees a step tried again gets no preview until the next message, rather than a wrong one.
 */
export class LivePreview {
  readonly #heard: HeardTurn
  /** How much of a step's live text is in messages that are whole. */
  readonly #covered = new Map<string, number>()
  readonly #lost = new Set<string>()
  #writing: Writing | null = null
  #step: string | null = null
  #shown = 0

  constructor(heard: HeardTurn) {
    this.#heard = heard
  }

  /** Takes the next stored event, `writing` as it is after it. */
  take({ kind, step: within, data }: EventRecord, writing: Writing | null): void {
    if (kind === 'step') {
      const step = parseJson(data) as EventData['step']
      // A step that begins again says everything anew; where that begins in what was heard nobody knows.
      if (step.phase === 'started' && (step.try > 1 || this.#writing?.step === step.id)) this.#lost.add(step.id)
      return
    }
    if (kind !== 'action') return
    const { name, value } = parseJson(data) as EventData['action']
    if (name === 'chat.partial') this.#stored(writing)
    else if (name === 'chat.message' && isJsonObject(value) && value['role'] === 'assistant') this.#whole(within ?? '', textOfContent(value['content'] ?? ''))
  }

  /** What has come since it was last asked; null when there is nothing new, or nothing that is sure to go on from what is stored. */
  next(): LivePiece | null {
    const step = this.#writing ? (this.#writing.step ?? '') : this.#heard.last
    if (step === null || this.#lost.has(step)) return null
    if (step !== this.#step) {
      this.#step = step
      this.#shown = 0
    }
    const text = this.#ahead(step).slice(this.#shown)
    return text === '' ? null : { offset: this.#shown, text }
  }

  /** A piece of `next` was sent. */
  sent({ text }: LivePiece): void {
    this.#shown += text.length
  }

  #stored(writing: Writing | null): void {
    this.#writing = writing
    if (!writing) return
    this.#step = writing.step ?? ''
    this.#shown = writing.text.length
    this.#hold(this.#step, writing.text)
  }

  #whole(step: string, text: string): void {
    this.#hold(step, text)
    this.#covered.set(step, (this.#covered.get(step) ?? 0) + text.length)
    this.#writing = null
    this.#step = null
    this.#shown = 0
  }

  /** Live text may be behind what is stored, or ahead of it, but never another. */
  #hold(step: string, stored: string): void {
    const live = this.#ahead(step)
    if (!live.startsWith(stored) && !stored.startsWith(live)) this.#lost.add(step)
  }

  #ahead(step: string): string {
    return (this.#heard.texts.get(step) ?? '').slice(this.#covered.get(step) ?? 0)
  }
}
