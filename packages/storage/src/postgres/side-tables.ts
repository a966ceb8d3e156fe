import { sql } from 'kysely'
import { toJsonText } from '@koco/core'
import { isTally, type SideRow, type SideTable } from '../side-tables.ts'
import type { ExecutionDatabase } from './schema.ts'

const KEYS: Readonly<Record<SideTable, readonly string[]>> = {
  budgets: ['id'],
  checkpoint_tasks: ['kind', 'session'],
  checkpoints: ['id'],
  flow_versions: ['name', 'version'],
  run_contents: ['fid', 'epoch', 'seq'],
  run_days: ['day', 'flow', 'username', 'outcome', 'bucket'],
  webhooks: ['id'],
  webhook_deliveries: ['id'],
  model_days: ['day', 'flow', 'username', 'provider', 'model'],
}

/** All rows of a side table; of a tally the sums over its shards. */
export async function sideRows(db: ExecutionDatabase, table: SideTable): Promise<SideRow[]> {
  if (!isTally(table)) return (await sql<SideRow>`select * from ${sql.table(table)}`.execute(db)).rows
  const found = await sql<{
    name: string
  }>`select column_name as name from information_schema.columns where table_schema = current_schema() and table_name = ${table}`.execute(db)
  const sums = found.rows.map(({ name }) => name).filter((name) => name !== 'shard' && !KEYS[table].includes(name))
  const keys = sql.join(KEYS[table].map((name) => sql.ref(name)))
  // What the sums give as numeric comes as text: the columns are whole numbers, but for cost and duration.
  const columns = sql.join(sums.map((name) => sql`sum(${sql.ref(name)})::double precision as ${sql.ref(name)}`))
  return (await sql<SideRow>`select ${keys}, ${columns} from ${sql.table(table)} group by ${keys}`.execute(db)).rows
}

/** Puts rows in place of those of the same key; of a tally into its first shard. */
export async function putSideRows(db: ExecutionDatabase, table: SideTable, rows: readonly SideRow[]): Promise<void> {
  const [first] = rows
  if (!first) return
  const given = isTally(table) ? rows.map((row) => ({ ...row, shard: 0 })) : rows
  const key = [...KEYS[table], ...(isTally(table) ? ['shard'] : [])]
  const rest = Object.keys(first).filter((name) => !key.includes(name))
  const updates = sql.join(rest.map((name) => sql`${sql.ref(name)} = excluded.${sql.ref(name)}`))
  await sql`insert into ${sql.table(table)} select * from json_populate_recordset(null::${sql.table(table)}, ${toJsonText(given)}::json)
    on conflict (${sql.join(key.map((name) => sql.ref(name)))}) do update set ${updates}`.execute(db)
}
