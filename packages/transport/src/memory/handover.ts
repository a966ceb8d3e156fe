import type { Json } from '@koco/core'
import type { Handover } from '../port.ts'
import { OpenQuestions } from '../open-questions.ts'

type Take = (request: Json) => Promise<Json>

/** Requests within one process. */
export class MemoryHandover implements Handover {
  readonly #served = new Map<string, Take>()
  readonly #open = new OpenQuestions()

  async serve(name: string, take: Take): Promise<() => void> {
    this.#served.set(name, take)
    return () => {
      if (this.#served.get(name) === take) this.#served.delete(name)
    }
  }

  async ask(name: string, request: Json, ms: number): Promise<Json | undefined> {
    const take = this.#served.get(name)
    if (!take) return undefined
    using question = this.#open.ask(ms)
    take(request).then(
      (answer) => this.#open.answered(question.id, answer),
      () => this.#open.answered(question.id, undefined),
    )
    return await question.answer
  }
}
