import { parseJson, type TypedValue } from '@koco/core'
import { clampLimit } from '../cursor.ts'
import type { RunCopy } from '../port/keeper.ts'
import type { ControlRequest } from '../port/runs.ts'
import type { Db } from './connection.ts'
import { type RawAnswer, type RawRun, readAnswer, readLock, readRun, SELECT_RUN } from './run-rows.ts'

type RawCopy = RawRun & { readonly idempotency_key: string | null; readonly inputs: string; readonly final: string | null }

/** Each call reads in one transaction, so that a copy is what the run was at one moment. */
export function createCopier(db: Db): { page(after: string | null, limit: number): RunCopy[]; one(fid: string): RunCopy | undefined } {
  const select = `SELECT head.*, idempotency_key, inputs, final FROM (${SELECT_RUN}) AS head JOIN runs USING (id) JOIN run_bodies ON run_bodies.run = head.id`
  const runs = db.prepare<[string, number], RawCopy>(`${select} WHERE head.fid > ? ORDER BY head.fid LIMIT ?`)
  const find = db.prepare<[string], RawCopy>(`${select} WHERE head.fid = ?`)
  const seals = db.prepare<[number], RunCopy['seals'][number]>('SELECT epoch, last_seq AS lastSeq FROM run_epochs WHERE run = ? ORDER BY epoch')
  const holes = db.prepare<[number], { fe: number; fs: number; te: number; ts: number }>(
    'SELECT from_epoch AS fe, from_seq AS fs, to_epoch AS te, to_seq AS ts FROM run_holes WHERE run = ? ORDER BY from_epoch, from_seq',
  )
  const locks = db.prepare<[number], string>('SELECT state FROM locks WHERE run = ? ORDER BY lid').pluck()
  const answers = db.prepare<[number], RawAnswer>('SELECT lid, answer, by, at, reason FROM lock_answers WHERE run = ? ORDER BY lid')
  const control = db.prepare<[number], ControlRequest>('SELECT wanted, by, reason, at FROM run_controls WHERE run = ?')
  const toCopy = (raw: RawCopy): RunCopy => {
    const { id, state, launcher, archived, topEpoch, waiting } = readRun(raw)
    return {
      state: { ...state, inputs: parseJson(raw.inputs), final: raw.final === null ? null : (parseJson(raw.final) as TypedValue) },
      launcher,
      idempotencyKey: raw.idempotency_key,
      archived,
      topEpoch,
      waiting,
      seals: seals.all(id),
      holes: holes.all(id).map(({ fe, fs, te, ts }) => ({ from: { epoch: fe, seq: fs }, to: { epoch: te, seq: ts } })),
      locks: locks.all(id).map((text) => readLock(text)),
      answers: answers.all(id).map(readAnswer),
      control: control.get(id) ?? null,
    }
  }
  return {
    page: db.transaction((after: string | null, limit: number): RunCopy[] => runs.all(after ?? '', clampLimit(limit)).map(toCopy)),
    one: db.transaction((fid: string): RunCopy | undefined => {
      const raw = find.get(fid)
      return raw && toCopy(raw)
    }),
  }
}
