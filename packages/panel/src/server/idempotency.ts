import { createHash } from 'node:crypto'
import { ProblemError } from './problems.ts'

/** Does the work of a creating request once for each key; a repeated call gets the first one's answer. */
export type Once = <T>(who: string, key: string | undefined, body: unknown, work: () => Promise<T>) => Promise<T>

const KEPT_MS = 10 * 60_000
const KEPT_MAX = 1_000

/**
 * Remembers answers for ten minutes in this process (runs have their own, durable memory of keys). Problem 422 `idempotency_key_reused` for a known key with another
 * body.
 */
export function createOnce(clock: () => number): Once {
  const known = new Map<string, { readonly body: string; readonly untilMs: number; readonly answer: Promise<unknown> }>()
  return async (who, key, body, work) => {
    if (key === undefined) return work()
    const name = `${who} ${key}`
    const digest = createHash('sha256').update(JSON.stringify(body)).digest('hex')
    const first = known.get(name)
    if (first && first.untilMs > clock()) {
      if (first.body !== digest)
        throw new ProblemError(422, 'idempotency_key_reused', 'This Idempotency-Key came with another body before; take a new key for another request.')
      return (await first.answer) as Awaited<ReturnType<typeof work>>
    }
    const answer = work()
    known.set(name, { body: digest, untilMs: clock() + KEPT_MS, answer })
    // A failure is not kept: the same key may try again.
    answer.catch(() => known.delete(name))
    const oldest = known.keys().next()
    if (known.size > KEPT_MAX && !oldest.done) known.delete(oldest.value)
    return answer
  }
}
