import type { RunCopy } from '../port/keeper.ts'
import { toAnswer, toLock } from './lock-row.ts'
import { toState, type SummaryRow } from './run-row.ts'
import type { ExecutionDatabase } from './schema.ts'

type FullRow = SummaryRow & {
  readonly inputs: string
  readonly final: string
  readonly launcher: string
  readonly idempotency_key: string | null
  readonly archived: boolean
  readonly epoch_top: number
  readonly waiting: number
}

/** Runs behind `after`, or the one of `fid`, each with its parts as they are in this transaction. */
export async function copiesIn(moment: ExecutionDatabase, after: string | null, limit: number, fid?: string): Promise<RunCopy[]> {
  const all = moment.selectFrom('runs').selectAll()
  const rows: readonly FullRow[] = await (fid === undefined ? all.where('fid', '>', after ?? '') : all.where('fid', '=', fid))
    .orderBy('fid')
    .limit(limit)
    .execute()
  if (rows.length === 0) return []
  const parts = await readParts(
    moment,
    rows.map((row) => row.fid),
  )
  return rows.map((row) => toCopy(row, parts))
}

type Parts = Awaited<ReturnType<typeof readParts>>

async function readParts(moment: ExecutionDatabase, fids: readonly string[]) {
  const seals = await moment.selectFrom('run_epochs').selectAll().where('fid', 'in', fids).orderBy('epoch').execute()
  const holes = await moment.selectFrom('run_holes').selectAll().where('fid', 'in', fids).orderBy('from_epoch').orderBy('from_seq').execute()
  const locks = await moment.selectFrom('locks').selectAll().where('fid', 'in', fids).orderBy('lid').execute()
  const answers = await moment.selectFrom('lock_answers').selectAll().where('fid', 'in', fids).orderBy('lid').execute()
  const controls = await moment.selectFrom('run_controls').selectAll().where('fid', 'in', fids).execute()
  const by = <T extends { readonly fid: string }>(found: readonly T[]) => Map.groupBy(found, ({ fid }) => fid)
  return { seals: by(seals), holes: by(holes), locks: by(locks), answers: by(answers), controls: by(controls) }
}

function toCopy(row: FullRow, parts: Parts): RunCopy {
  const { fid } = row
  const [control] = parts.controls.get(fid) ?? []
  return {
    state: toState(row),
    launcher: row.launcher,
    idempotencyKey: row.idempotency_key,
    archived: row.archived,
    topEpoch: Math.max(row.epoch_top, row.last_epoch),
    waiting: row.waiting > 0,
    seals: (parts.seals.get(fid) ?? []).map(({ epoch, last_seq: lastSeq }) => ({ epoch, lastSeq })),
    holes: (parts.holes.get(fid) ?? []).map((hole) => ({
      from: { epoch: hole.from_epoch, seq: hole.from_seq },
      to: { epoch: hole.to_epoch, seq: hole.to_seq },
    })),
    locks: (parts.locks.get(fid) ?? []).map(toLock),
    answers: (parts.answers.get(fid) ?? []).map(toAnswer),
    control: control ? { wanted: control.wanted, by: control.asked_by, reason: control.reason, at: control.asked_at } : null,
  }
}
