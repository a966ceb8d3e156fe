import type { Json } from '@koco/core'
import type { AnswerOutcome } from '@koco/flow'
import type { Principal } from '../auth/permissions.ts'
import type { PanelContext } from '../context.ts'
import { findFiles } from './run-inputs.ts'

/** An answer to a question of a run. */
export type LockAnswer = { readonly fid: string; readonly lid: string; readonly answer: Json; readonly reason?: string | undefined }

/** Passes an answer on, its files put among those of the run first; when it is not accepted they are taken back. Problems as of `findFiles`. */
export async function answerLock({ files, store, launcher }: PanelContext, who: Principal, { fid, lid, answer, reason }: LockAnswer): Promise<AnswerOutcome> {
  const lock = await store.locks.get(fid, lid)
  const { folder, uploads } = files
  const taken = async () => (await folder.list(fid, 'in')).map(({ path }) => path)
  const found = lock && (await findFiles({ ...files, runs: store.runs }, who, { schema: lock.form, inputs: answer, taken }))
  if (!found) return launcher.answer(fid, lid, answer, who.user, reason)
  for (const { from, path } of found.given) await folder.give(fid, path, from)
  const outcome = await launcher.answer(fid, lid, found.inputs, who.user, reason)
  if (outcome.outcome === 'accepted') for (const { record, path } of found.used) await uploads.place(record, fid, path)
  else for (const { path } of found.given) await folder.remove(fid, path)
  return outcome
}
