import type { Json } from '@koco/core'
import type { ExecutionStore } from '@koco/storage'
import type { Clock } from './clock.ts'
import type { AnswerOutcome } from './launcher.ts'
import { checkAnswer } from './schema-check.ts'

/** Accepts somebody's answer to a lock when it is open, in time, the first, and fits the form. Whoever looks after the run has still to be told. */
export async function answerLock(
  store: Pick<ExecutionStore, 'locks'>,
  clock: Clock,
  {
    fid,
    lid,
    answer,
    by,
    reason,
  }: { readonly fid: string; readonly lid: string; readonly answer: Json; readonly by: string; readonly reason?: string | undefined },
): Promise<AnswerOutcome> {
  const lock = await store.locks.get(fid, lid)
  if (!lock) return { outcome: 'unknown' }
  if (lock.status === 'answered') return { outcome: 'answered', by: lock.answeredBy ?? '' }
  if (lock.status !== 'open') return { outcome: lock.status }
  const at = clock.now() / 1000
  if (lock.expiresAt !== null && lock.expiresAt <= at) return { outcome: 'expired' }
  const checked = checkAnswer(lock.form, answer)
  if (!checked.ok) return { outcome: 'invalid', fields: checked.fields }
  return store.locks.answer(fid, { lid, answer, by, at, ...(reason !== undefined && { reason }) })
}
