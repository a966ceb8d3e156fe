import { must, ORIGIN, type EventRecord, type Position } from '@koco/core'
import { sql } from 'kysely'
import type { Refold, Refolded, Restored, RunCopy, RunLine, StoredRunPlace } from '../port/keeper.ts'
import { unknownRun } from '../projection.ts'
import { differences, refoldRun } from '../snapshots/refold.ts'
import { noteContents } from './contents.ts'
import { copiesIn } from './copy-runs.ts'
import { toRecord, type StoredEvent } from './event-rows.ts'
import { putRunsIn } from './put-runs.ts'
import type { ExecutionDatabase } from './schema.ts'

/** Folds runs anew, each in a transaction of its own that holds the run's row, so that whoever writes to it waits for as long. */
export async function refoldRuns(db: ExecutionDatabase, places: readonly StoredRunPlace[], how: Refold): Promise<Refolded[]> {
  const done: Refolded[] = []
  for (const { fid } of places) done.push(await db.transaction().execute(async (tx) => await refold(tx, fid, how)))
  return done
}

async function refold(tx: ExecutionDatabase, fid: string, { mode, write, launcher }: Refold): Promise<Refolded> {
  if (write) await addUnknown(tx, fid)
  const locked = await tx.selectFrom('runs').select('fid').where('fid', '=', fid).forUpdate().executeTakeFirst()
  if (!locked) return { fid, differs: ['run'], position: ORIGIN }
  const copy = must((await copiesIn(tx, null, 1, fid))[0], `copy of run ${fid}`)
  const records = await recordsOf(tx, fid, mode === 'above' ? copy.state.lastPosition : ORIGIN)
  const again = { ...refoldRun(copy, records, mode), launcher: copy.launcher === '' ? launcher : copy.launcher }
  const differs = differences(copy, again)
  if (write) await noteContents(tx, fid, records)
  if (write && (differs.length > 0 || again.launcher !== copy.launcher)) await putRunsIn(tx, [again])
  return { fid, differs, position: again.state.lastPosition }
}

async function addUnknown(tx: ExecutionDatabase, fid: string): Promise<void> {
  const { createdAt } = unknownRun(fid)
  await sql`insert into runs (fid, flow, username, summary, tags, inputs, status, created_at, launcher, search)
    select ${fid}, '', '', '', '[]'::jsonb, 'null', 'starting', ${createdAt}::double precision, '', '' on conflict do nothing`.execute(tx)
}

async function recordsOf(tx: ExecutionDatabase, fid: string, after: Position): Promise<EventRecord[]> {
  const { rows } =
    await sql<StoredEvent>`select fid, epoch, seq, timestamp, kind, step, message from execution_events where fid = ${fid} and (epoch, seq) > (${after.epoch}::bigint, ${after.seq}::bigint) order by epoch, seq`.execute(
      tx,
    )
  return rows.map(toRecord)
}

/** Puts runs in place as a snapshot has them and folds on those above whose position events are stored. */
export async function restoreRuns(db: ExecutionDatabase, lines: readonly RunLine[]): Promise<Restored> {
  const { copies, gone } = await withoutGone(db, lines)
  await db.transaction().execute(async (tx) => await putRunsIn(tx, copies))
  const fids = copies.map(({ state }) => state.fid)
  const epochs = copies.map(({ state }) => state.lastPosition.epoch)
  const seqs = copies.map(({ state }) => state.lastPosition.seq)
  const { rows } = await sql<{ fid: string }>`select x.fid from unnest(${fids}::text[], ${epochs}::bigint[], ${seqs}::bigint[]) as x (fid, epoch, seq)
    where exists (select from execution_events e where e.fid = x.fid and (e.epoch, e.seq) > (x.epoch, x.seq))`.execute(db)
  const folded = await refoldRuns(
    db,
    rows.map(({ fid }) => ({ fid, home: null })),
    { mode: 'above', write: true, launcher: '' },
  )
  return { folded, gone }
}

/** A run that had events when the snapshot was made and has none now was removed since. */
async function withoutGone(db: ExecutionDatabase, lines: readonly RunLine[]): Promise<{ readonly copies: RunCopy[]; readonly gone: string[] }> {
  const copies = lines.map(({ copy }) => copy)
  const begun = copies.filter(({ state }) => state.lastPosition.epoch > 0).map(({ state }) => state.fid)
  const { rows } = await sql<{
    fid: string
  }>`select fid from unnest(${begun}::text[]) as x (fid) where not exists (select from execution_events e where e.fid = x.fid)`.execute(db)
  const gone = rows.map(({ fid }) => fid)
  const isGone = new Set(gone)
  return { copies: copies.filter(({ state }) => !isGone.has(state.fid)), gone }
}
