import { randomInt } from 'node:crypto'
import { toJsonText } from '@koco/core'
import { sql } from 'kysely'
import type { RunCopy } from '../port/keeper.ts'
import { searchText } from '../search.ts'
import { fromLock } from './lock-row.ts'
import type { ExecutionDatabase } from './schema.ts'

/** Where what belongs to a run lies besides its row and its events. */
const PARTS = ['run_epochs', 'run_holes', 'run_controls', 'locks', 'lock_answers'] as const

/** Stores runs as they were copied, over what is known of them, in the caller's transaction. */
export async function putRunsIn(tx: ExecutionDatabase, copies: readonly RunCopy[]): Promise<void> {
  if (copies.length === 0) return
  const fids = copies.map(({ state }) => state.fid)
  for (const table of [...PARTS, 'runs']) await sql`delete from ${sql.table(table)} where fid = any(${fids}::text[])`.execute(tx)
  await insert(tx, 'runs', copies.map(runRow))
  await insert(
    tx,
    'run_epochs',
    of(copies, 'seals', ({ epoch, lastSeq }) => ({ epoch, last_seq: lastSeq })),
  )
  await insert(
    tx,
    'run_holes',
    of(copies, 'holes', ({ from, to }) => ({ from_epoch: from.epoch, from_seq: from.seq, to_epoch: to.epoch, to_seq: to.seq })),
  )
  await insert(tx, 'locks', of(copies, 'locks', fromLock))
  await insert(
    tx,
    'lock_answers',
    of(copies, 'answers', ({ lid, answer, by, at, reason }) => ({
      lid,
      answer: toJsonText(answer),
      answered_by: by,
      answered_at: at,
      reason: reason ?? null,
    })),
  )
  await insert(tx, 'run_controls', controls(copies))
}

async function insert(tx: ExecutionDatabase, table: string, rows: readonly object[]): Promise<void> {
  if (rows.length === 0) return
  await sql`insert into ${sql.table(table)} select * from json_populate_recordset(null::${sql.table(table)}, ${toJsonText(rows)}::json)`.execute(tx)
}

type Many = 'seals' | 'holes' | 'locks' | 'answers'

function of<K extends Many>(copies: readonly RunCopy[], part: K, row: (item: RunCopy[K][number]) => object): object[] {
  return copies.flatMap((copy) => copy[part].map((item) => ({ ...row(item), fid: copy.state.fid })))
}

function controls(copies: readonly RunCopy[]): object[] {
  return copies.flatMap(({ state: { fid }, control }) =>
    control ? [{ fid, wanted: control.wanted, asked_by: control.by, reason: control.reason, asked_at: control.at }] : [],
  )
}

function runRow({ state, launcher, idempotencyKey, archived, topEpoch, waiting, locks }: RunCopy): object {
  const { fid, flow, version, user, summary, tags, parent, status, attempt, events, lastPosition } = state
  const text = (value: unknown) => (value === null ? null : toJsonText(value))
  return {
    fid,
    flow,
    version,
    username: user,
    summary,
    tags,
    parent,
    inputs: toJsonText(state.inputs),
    status,
    created_at: state.createdAt,
    started_at: state.startedAt,
    finished_at: state.finishedAt,
    wake_at: state.wakeAt,
    // A snapshot of before they were kept has none.
    deaths: (state as Partial<typeof state>).deaths ?? 0,
    attempt,
    events,
    last_epoch: lastPosition.epoch,
    last_seq: lastPosition.seq,
    waiting: waiting ? 1 : 0,
    open_locks: state.openLocks,
    has_locks: locks.length > 0,
    final: toJsonText(state.final),
    error: text(state.error),
    usage: text(state.usage),
    progress: text(state.progress),
    launcher,
    archived,
    idempotency_key: idempotencyKey,
    epoch_top: topEpoch,
    search: searchText(state),
    // Whoever remembers the run as it was has to read it again, although it may stand where it stood.
    rewritten: randomInt(2 ** 31),
  }
}
