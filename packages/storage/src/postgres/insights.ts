import { randomInt } from 'node:crypto'
import { toJsonText } from '@koco/core'
import { sql, type SelectQueryBuilder } from 'kysely'
import type { Client } from 'pg'
import type { InsightQuery, InsightStore } from '../port/insights.ts'
import type { Tally } from '../tally.ts'
import type { ExecutionDatabase, ExecutionTables } from './schema.ts'
import { ADD_MODEL_DAYS, ADD_RUN_DAYS, run } from './statements.ts'

/** Each row of a tally is kept in so many parts, and a writer adds to any of them: else all spoolers would queue at the row of the busiest flow. */
const SHARDS = 16

const SUMS = ['calls', 'priced', 'cost', 'duration_s', 'input_uncached', 'cache_read', 'cache_write', 'output', 'reasoning'] as const
type Sums = Record<(typeof SUMS)[number], number>
type Day = 'run_days' | 'model_days'

/** Adds what a batch did to the tallies of its days, in the batch's transaction. */
export async function storeTally(client: Client, { runs, models }: Tally): Promise<void> {
  const shard = randomInt(SHARDS)
  const rows = (tallies: readonly { readonly user: string }[]): string => toJsonText(tallies.map(({ user, ...rest }) => ({ ...rest, username: user, shard })))
  const added: Promise<unknown>[] = []
  if (runs.length > 0) added.push(run(client, ADD_RUN_DAYS, [rows(runs)]))
  if (models.length > 0) added.push(run(client, ADD_MODEL_DAYS, [rows(models.map(({ durationS, ...rest }) => ({ ...rest, duration_s: durationS })))]))
  await Promise.all(added)
}

/** What runs and models came to, out of the tallies. */
export function createInsightTable(db: ExecutionDatabase): InsightStore {
  return {
    async runs(query, by) {
      const rows = await within(db.selectFrom('run_days'), query)
        .select([sql<string | number>`${sql.ref(COLUMN[by])}`.as('key'), 'outcome', 'bucket', sql<string>`sum(runs)`.as('runs')])
        .groupBy([sql.ref(COLUMN[by]), 'outcome', 'bucket'])
        .execute()
      return rows.map(({ key, outcome, bucket, runs }) => ({ key: String(key), outcome, bucket, runs: Number(runs) }))
    },
    async models(query, by) {
      const columns = by === 'model' ? ['provider', 'model'] : [COLUMN[by]]
      const rows = await within(db.selectFrom('model_days'), query)
        .select(columns.map((name, i) => sql<string | number>`${sql.ref(name)}`.as(i === columns.length - 1 ? 'key' : 'provider')))
        .select(SUMS.map((name) => sql<string>`sum(${sql.ref(name)})`.as(name)))
        .groupBy(columns.map((name) => sql.ref(name)))
        .execute()
      return rows.map((row) => toUsage(row as unknown as Sums & { key: string | number; provider?: string }))
    },
  }
}

const COLUMN = { day: 'day', flow: 'flow', user: 'username', model: 'model' } as const

function within<T extends Day>(from: SelectQueryBuilder<ExecutionTables, T, object>, { fromDay, toDay, flow, user }: InsightQuery) {
  let rows = (from as unknown as SelectQueryBuilder<ExecutionTables, 'run_days', object>).where('day', '>=', fromDay).where('day', '<', toDay)
  if (flow !== undefined) rows = rows.where('flow', '=', flow)
  if (user !== undefined) rows = rows.where('username', '=', user)
  return rows
}

function toUsage({ key, provider, ...sums }: Sums & { readonly key: string | number; readonly provider?: string }) {
  const { duration_s: durationS, ...rest } = Object.fromEntries(SUMS.map((name) => [name, Number(sums[name] as number | string)])) as Sums
  return { key: String(key), provider: provider ?? null, durationS, ...rest }
}
