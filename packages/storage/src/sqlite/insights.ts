import type { InsightQuery, ModelUsage, RunCount } from '../port/insights.ts'
import type { Tally } from '../tally.ts'
import type { Db } from './connection.ts'

const SUMS = ['calls', 'priced', 'cost', 'duration_s', 'input_uncached', 'cache_read', 'cache_write', 'output', 'reasoning'] as const

/** Adds what events did to the tallies of their days, within the caller's transaction. */
export function createTallyWriter(db: Db): (tally: Tally) => void {
  const addRuns = db.prepare(
    'INSERT INTO run_days (day, flow, user, outcome, bucket, runs) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET runs = runs + excluded.runs',
  )
  const addModels = db.prepare(
    `INSERT INTO model_days (day, flow, user, provider, model, ${SUMS.join(', ')}) VALUES (?, ?, ?, ?, ?, ${SUMS.map(() => '?').join(', ')})
    ON CONFLICT DO UPDATE SET ${SUMS.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`,
  )
  return ({ runs, models }) => {
    for (const { day, flow, user, outcome, bucket, runs: count } of runs) addRuns.run(day, flow, user, outcome, bucket, count)
    for (const { day, flow, user, provider, model, durationS, ...sums } of models) {
      addModels.run(day, flow, user, provider, model, ...SUMS.map((name) => (name === 'duration_s' ? durationS : sums[name])))
    }
  }
}

/** The reads of tallies. */
export function insightQueries(db: Db) {
  return {
    countRunDays(query: InsightQuery, by: 'day' | 'flow' | 'user'): RunCount[] {
      const [where, values] = within(query)
      const text = `SELECT CAST(${by} AS TEXT) AS key, outcome, bucket, sum(runs) AS runs FROM run_days WHERE ${where} GROUP BY ${by}, outcome, bucket`
      return db.prepare<unknown[], RunCount>(text).all(...values)
    },
    sumModelDays(query: InsightQuery, by: 'day' | 'flow' | 'user' | 'model'): ModelUsage[] {
      const [where, values] = within(query)
      const group = by === 'model' ? 'provider, model' : by
      const columns = SUMS.map((name) => `sum(${name}) AS ${name === 'duration_s' ? 'durationS' : name}`).join(', ')
      const text = `SELECT CAST(${by} AS TEXT) AS key, ${by === 'model' ? 'provider' : 'NULL'} AS provider, ${columns} FROM model_days WHERE ${where} GROUP BY ${group}`
      return db.prepare<unknown[], ModelUsage>(text).all(...values)
    },
  }
}

function within({ fromDay, toDay, flow, user }: InsightQuery): [string, (string | number)[]] {
  const values: (string | number)[] = [fromDay, toDay]
  let where = 'day >= ? AND day < ?'
  if (flow !== undefined) values.push(flow)
  if (flow !== undefined) where += ' AND flow = ?'
  if (user !== undefined) values.push(user)
  if (user !== undefined) where += ' AND user = ?'
  return [where, values]
}
