import { sql } from 'kysely'
import type { StoredRunPlace, StorePart } from '../port/keeper.ts'
import { SIDE_TABLES } from '../side-tables.ts'
import { copiesIn } from './copy-runs.ts'
import { sessionCopiesIn } from './copy-sessions.ts'
import { createDeadEventTable } from './dead-events.ts'
import type { ExecutionDatabase } from './schema.ts'
import { createScheduleTable } from './schedules.ts'
import { sideRows } from './side-tables.ts'
import { pagesOf } from '../pages.ts'

const PAGE = 200

/** Reads everything in one transaction that sees one moment, a page at a time. */
export async function readMoment(db: ExecutionDatabase, visit: (part: StorePart) => Promise<void>): Promise<void> {
  await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (moment) => {
      for await (const part of partsOf(moment)) await visit(part)
    })
}

async function* partsOf(moment: ExecutionDatabase): AsyncGenerator<StorePart> {
  for await (const page of pagesOf(
    (after) => copiesIn(moment, after, PAGE),
    (copy) => copy.state.fid,
  )) {
    yield { kind: 'runs', lines: page.map((copy) => ({ copy, file: null })) }
  }
  for await (const page of pagesOf(
    (after) => sessionCopiesIn(moment, after, PAGE),
    ({ session }) => session.id,
  )) {
    yield { kind: 'sessions', lines: page.map((copy) => ({ copy })) }
  }
  const [schedules, dead] = [createScheduleTable(moment), createDeadEventTable(moment)]
  for (let cursor: string | undefined; ;) {
    const { items, next } = await schedules.list({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) })
    yield { kind: 'schedules', lines: items.map((schedule) => ({ schedule })) }
    if (next === null) break
    cursor = next
  }
  for (let cursor: string | undefined; ;) {
    const { items, next } = await dead.list({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) })
    yield { kind: 'dead', lines: items.map((event) => ({ event })) }
    if (next === null) break
    cursor = next
  }
  for (const table of SIDE_TABLES) yield { kind: 'side', lines: (await sideRows(moment, table)).map((row) => ({ table, row })) }
}

/** The runs that have events or a row, behind `after`; each of both is found by a step in its index, not by reading the events. */
export async function storedRuns(db: ExecutionDatabase, after: string | null, limit: number): Promise<StoredRunPlace[]> {
  const { rows } = await sql<{ fid: string }>`with recursive stored (fid) as (
      (select min(fid) from execution_events where fid > ${after ?? ''})
      union all select (select min(e.fid) from execution_events e where e.fid > stored.fid) from stored where stored.fid is not null)
    (select fid from stored where fid is not null limit ${limit}) union (select fid from runs where fid > ${after ?? ''} order by fid limit ${limit}) order by fid limit ${limit}`.execute(
    db,
  )
  return rows.map(({ fid }) => ({ fid, home: null }))
}
