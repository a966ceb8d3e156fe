import { randomUUID } from 'node:crypto'
import type { Json } from '@koco/core'

/** A question that waits: `answer` resolves with what came, or undefined when its time was over. `isOpen`: neither has come yet. */
export type OpenQuestion = Disposable & { readonly id: string; readonly answer: Promise<Json | undefined>; isOpen(): boolean }

/** The questions of one process that wait for their answers. */
export class OpenQuestions {
  readonly #waiting = new Map<string, (answer: Json | undefined) => void>()

  /** A question that waits at most `ms`. */
  ask(ms: number): OpenQuestion {
    const id = randomUUID()
    const { promise, resolve } = Promise.withResolvers<Json | undefined>()
    const end = (answer: Json | undefined): void => {
      clearTimeout(timer)
      this.#waiting.delete(id)
      resolve(answer)
    }
    const timer = setTimeout(end, ms, undefined)
    this.#waiting.set(id, end)
    return { id, answer: promise, isOpen: () => this.#waiting.has(id), [Symbol.dispose]: () => end(undefined) }
  }

  /** Brings an answer; one that nobody waits for any more is dropped. */
  answered(id: string, answer: Json | undefined): void {
    this.#waiting.get(id)?.(answer)
  }
}
