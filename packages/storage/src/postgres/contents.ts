import type { ContentRef, EventRecord } from '@koco/core'
import { toJsonText } from '@koco/core'
import { sql } from 'kysely'
import type { Client } from 'pg'
import { namedContents, type NamedContent } from '../named-contents.ts'
import type { ContentIndex, ContentTotals } from '../port/contents.ts'
import type { ExecutionDatabase } from './schema.ts'
import { ADD_CONTENTS, run } from './statements.ts'

// A snapshot may bring back what runs named that were taken away since: their events are not there.
const NAMED = sql`run_contents c where exists (select from execution_events e where e.fid = c.fid and e.epoch = c.epoch and e.seq = c.seq)`

/** Notes what records name, within the caller's transaction; again changes nothing. */
export async function storeContents(client: Client, rows: readonly NamedContent[]): Promise<void> {
  if (rows.length > 0) await run(client, ADD_CONTENTS, [toJsonText(rows)])
}

/** The same for the records of one run, in a transaction of a query builder. */
export async function noteContents(tx: ExecutionDatabase, fid: string, records: readonly EventRecord[]): Promise<void> {
  const rows = namedContents(fid, records)
  if (rows.length > 0)
    await sql`insert into run_contents select * from json_populate_recordset(null::run_contents, ${toJsonText(rows)}::json) on conflict do nothing`.execute(tx)
}

/** The reads of what events name. */
export function createContentIndex(db: ExecutionDatabase): ContentIndex {
  return {
    async get(fid, sha256) {
      const { rows } = await sql<ContentRef>`select hash as sha256, bytes, stored from run_contents where fid = ${fid} and hash = ${sha256} limit 1`.execute(db)
      return rows[0]
    },
    async hashes(after, limit) {
      const { rows } = await sql<{ hash: string }>`select distinct hash from ${NAMED} and hash > ${after} order by hash limit ${limit}`.execute(db)
      return rows.map(({ hash }) => hash)
    },
    async totals() {
      const { rows } =
        await sql<ContentTotals>`select coalesce(sum(count), 0)::bigint as named, coalesce(sum(bytes), 0)::bigint as bytes, count(*) as "distinct",
        coalesce(sum(kept), 0)::bigint as stored
        from (select count(*) as count, sum(bytes) as bytes, max(stored) as kept from ${NAMED} group by hash) as contents`.execute(db)
      return rows[0] ?? { named: 0, bytes: 0, distinct: 0, stored: 0 }
    },
  }
}
