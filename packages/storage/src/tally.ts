import type { EndedStatus, EventData, RunEvent, RunState, TokenCounts } from '@koco/core'
import { isEnded } from '@koco/core'

/** What happened to runs of one flow and user on one day (UTC, counted from 1970). `bucket`: how long an ended run took, as of `bucketOf`; 0 for a start. */
export type RunTally = {
  readonly day: number
  readonly flow: string
  readonly user: string
  readonly outcome: 'started' | EndedStatus
  readonly bucket: number
  readonly runs: number
}

/** Sums over model calls. `priced`: how many of them had a known cost. */
export type ModelSums = TokenCounts & { readonly calls: number; readonly priced: number; readonly cost: number; readonly durationS: number }

/** What one flow and user spent on one model on one day. */
export type ModelTally = ModelSums & { readonly day: number; readonly flow: string; readonly user: string; readonly provider: string; readonly model: string }

/** What events add to the tallies of their days. */
export type Tally = { readonly runs: readonly RunTally[]; readonly models: readonly ModelTally[] }

/** The launcher of runs that were read from a file: what they did and spent was done elsewhere, or before, and is in no tally. */
export const IMPORTED = 'import'

/** Nothing to add. */
export const NO_TALLY: Tally = { runs: [], models: [] }

const DAY_S = 86_400
const NAME_CHARS_MAX = 200
const COUNT_MAX = 1e12
/** Each bucket is a tenth wider than the one before, so a duration read back is at most 5 % off. */
const GROWTH = Math.log(1.1)

/** The day of a time in unix seconds. */
export function dayOf(ts: number): number {
  return Math.floor(ts / DAY_S)
}

/** The bucket of a duration; histograms made of them can be added up over days, flows and users. */
export function bucketOf(seconds: number): number {
  return Math.max(0, Math.round(Math.log(Math.max(seconds, 0.001) * 1000) / GROWTH))
}

/** The duration in the middle of a bucket, in seconds. */
export function secondsOf(bucket: number): number {
  return Math.exp(bucket * GROWTH) / 1000
}

/** What one event of a run adds, seen at the states before and after it. */
export function tallyOf(before: RunState, after: RunState, event: RunEvent): Tally {
  const place = { day: dayOf(event.ts), flow: name(after.flow), user: name(after.user) }
  if (event.kind === 'model') return { runs: [], models: [{ ...place, ...modelTally(event.data) }] }
  if (event.kind !== 'status') return NO_TALLY
  const runs: RunTally[] = []
  if (before.startedAt === null && after.startedAt !== null) runs.push({ ...place, outcome: 'started', bucket: 0, runs: 1 })
  if (isEnded(after.status) && !isEnded(before.status)) {
    runs.push({ ...place, outcome: after.status, bucket: bucketOf(event.ts - (after.startedAt ?? event.ts)), runs: 1 })
  }
  return runs.length === 0 ? NO_TALLY : { runs, models: [] }
}

/** Many tallies as one, each row once and in the order of their keys, so that writers of the same rows wait for each other instead of blocking each other. */
export function sumTallies(tallies: readonly Tally[]): Tally {
  const runs = summed(
    tallies.flatMap((tally) => tally.runs),
    ({ day, flow, user, outcome, bucket }) => [day, flow, user, outcome, bucket],
    (a, b) => ({ ...a, runs: a.runs + b.runs }),
  )
  const models = summed(
    tallies.flatMap((tally) => tally.models),
    ({ day, flow, user, provider, model }) => [day, flow, user, provider, model],
    (a, b) => ({ ...a, ...addSums(a, b) }),
  )
  return { runs, models }
}

/** The sums of both. */
export function addSums(a: ModelSums, b: ModelSums): ModelSums {
  return {
    calls: a.calls + b.calls,
    priced: a.priced + b.priced,
    cost: a.cost + b.cost,
    durationS: a.durationS + b.durationS,
    input_uncached: a.input_uncached + b.input_uncached,
    cache_read: a.cache_read + b.cache_read,
    cache_write: a.cache_write + b.cache_write,
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
  }
}

// Nobody has checked what an event carries, and a row that cannot be stored would keep the whole batch out.
function modelTally({ provider, model, tokens, cost, duration_s: durationS }: EventData['model']): Omit<ModelTally, 'day' | 'flow' | 'user'> {
  const { input_uncached, cache_read, cache_write, output, reasoning } = tokens
  return {
    provider: name(provider),
    model: name(model),
    calls: 1,
    priced: Number.isFinite(cost) ? 1 : 0,
    cost: amount(cost),
    durationS: amount(durationS),
    input_uncached: count(input_uncached),
    cache_read: count(cache_read),
    cache_write: count(cache_write),
    output: count(output),
    reasoning: count(reasoning),
  }
}

function name(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, NAME_CHARS_MAX).toWellFormed() : ''
}

function amount(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}

function count(value: unknown): number {
  return Math.min(COUNT_MAX, Math.max(0, Math.floor(amount(value))))
}

function summed<T>(rows: readonly T[], keyOf: (row: T) => readonly unknown[], add: (a: T, b: T) => T): T[] {
  const byKey = new Map<string, T>()
  for (const row of rows) {
    const key = JSON.stringify(keyOf(row))
    const known = byKey.get(key)
    byKey.set(key, known === undefined ? row : add(known, row))
  }
  return [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}
