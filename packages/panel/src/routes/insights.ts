import type * as api from '@koco/core/api'
import { addSums, secondsOf, type InsightQuery, type ModelSums, type ModelUsage, type RunCount } from '@koco/storage'
import { z } from 'zod'
import { ownScope } from '../auth/permissions.ts'
import type { PanelContext, Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { caller } from './visible-run.ts'
import { shapeOf } from '../shapes/shape-of.ts'

const DAY_MS = 86_400_000
const DAYS_MAX = 400
const DAYS_STANDARD = 30
const date = z.iso.date().describe('a day, UTC')

const runs = {
  started: z.number().int(),
  finished: z.number().int(),
  failed: z.number().int().describe('ended as error or timed out'),
  cancelled: z.number().int(),
  p50_s: z.number().nullable().describe('half of the runs that finished took no longer, from first start to end, waits included; within 5 %'),
  p95_s: z.number().nullable(),
}
const usage = {
  calls: z.number().int(),
  priced_calls: z.number().int().describe('calls with a known cost; the others are not in `cost`'),
  cost: z.number(),
  tokens: z.object({
    input_uncached: z.number(),
    cache_read: z.number(),
    cache_write: z.number(),
    output: z.number(),
    reasoning: z.number(),
  }),
}
const Sums = shapeOf<api.Sums>()(z.object({ ...runs, ...usage }))
const Insights = shapeOf<api.Insights>()(
  z
    .object({
      from: date,
      to: date.describe('the last day, inclusive'),
      totals: Sums,
      days: z.array(Sums.extend({ day: date })).describe('every day, also those without runs'),
      flows: z.array(Sums.extend({ flow: z.string() })),
      users: z.array(Sums.extend({ user: z.string() })),
      models: z.array(z.object({ provider: z.string(), model: z.string(), ...usage, mean_s: z.number().describe('mean duration of a call') })),
    })
    .meta({ id: 'Insights', description: 'What runs and models came to, by day, flow, user and model.' }),
)

/** What runs and models came to. */
export const insightRoutes: Routes = (app, context) => {
  app.get(
    '/api/insights',
    {
      config: { access: 'insights.read' },
      schema: {
        tags: ['insights'],
        summary: 'Runs, failures, durations, tokens and cost',
        description: `By day (UTC), flow, user and model, of at most ${DAYS_MAX} days; your own runs, an operator sees those of all. Kept up to date as events are stored; runs that were taken away since still count, runs that were read from a file do not: they were not paid for here.`,
        querystring: z.object({
          from: date.optional(),
          to: date.optional(),
          flow: z.string().max(63).optional(),
          user: z.string().max(63).optional(),
        }),
        ...answers({ 200: Insights }, 401, 403, 422),
      },
    },
    async (request) => {
      const { flow, user: asked } = request.query
      const me = ownScope(caller(request), 'insights.read')
      const range = daysOf(request.query, context.clock())
      // Somebody else's figures are as empty as those of a user who does not exist.
      if (me !== undefined && asked !== undefined && asked !== me) return assemble(range, await read(context, { ...range, user: '\u0000' }))
      const user = me ?? asked
      return assemble(range, await read(context, { ...range, ...(flow !== undefined && { flow }), ...(user !== undefined && { user }) }))
    },
  )
}

type Range = { readonly fromDay: number; readonly toDay: number }
type Read = Awaited<ReturnType<typeof read>>

function daysOf({ from, to }: { readonly from?: string | undefined; readonly to?: string | undefined }, nowMs: number): Range {
  const toDay = (to === undefined ? Math.floor(nowMs / DAY_MS) : Date.parse(to) / DAY_MS) + 1
  const fromDay = from === undefined ? toDay - DAYS_STANDARD : Date.parse(from) / DAY_MS
  if (fromDay >= toDay) throw new ProblemError(422, 'bad_range', 'The first day must not be after the last.')
  if (toDay - fromDay > DAYS_MAX) throw new ProblemError(422, 'bad_range', `At most ${DAYS_MAX} days at once.`)
  return { fromDay, toDay }
}

async function read({ store: { insights } }: PanelContext, query: InsightQuery) {
  const [runDays, runFlows, runUsers, days, flows, users, models] = await Promise.all([
    insights.runs(query, 'day'),
    insights.runs(query, 'flow'),
    insights.runs(query, 'user'),
    insights.models(query, 'day'),
    insights.models(query, 'flow'),
    insights.models(query, 'user'),
    insights.models(query, 'model'),
  ])
  return { day: { runs: runDays, usage: days }, flow: { runs: runFlows, usage: flows }, user: { runs: runUsers, usage: users }, models }
}

function assemble({ fromDay, toDay }: Range, { day, flow, user, models }: Read): z.infer<typeof Insights> {
  const byDay = grouped(day)
  const everyDay = Array.from({ length: toDay - fromDay }, (_, i) => fromDay + i)
  return {
    from: dateOf(fromDay),
    to: dateOf(toDay - 1),
    totals: { ...runSums(day.runs), ...usageSums(day.usage) },
    days: everyDay.map((at) => ({ day: dateOf(at), ...(byDay.get(String(at)) ?? { ...runSums([]), ...usageSums([]) }) })),
    flows: [...grouped(flow)].map(([name, sums]) => ({ flow: name, ...sums })).toSorted((a, b) => b.started - a.started || (a.flow < b.flow ? -1 : 1)),
    users: [...grouped(user)].map(([name, sums]) => ({ user: name, ...sums })).toSorted((a, b) => b.cost - a.cost || b.started - a.started),
    models: models
      .map((one) => ({ provider: one.provider ?? '', model: one.key, ...usageSums([one]), mean_s: one.durationS / Math.max(1, one.calls) }))
      .toSorted((a, b) => b.cost - a.cost || b.calls - a.calls),
  }
}

function grouped({
  runs: counts,
  usage: used,
}: {
  readonly runs: readonly RunCount[]
  readonly usage: readonly ModelUsage[]
}): Map<string, z.infer<typeof Sums>> {
  const runsOf = Map.groupBy(counts, ({ key }) => key)
  const usageOf = Map.groupBy(used, ({ key }) => key)
  const keys = new Set([...runsOf.keys(), ...usageOf.keys()])
  return new Map([...keys].map((key) => [key, { ...runSums(runsOf.get(key) ?? []), ...usageSums(usageOf.get(key) ?? []) }]))
}

function runSums(counts: readonly RunCount[]) {
  const of = (...outcomes: readonly RunCount['outcome'][]): number =>
    counts.reduce((sum, { outcome, runs: n }) => sum + (outcomes.includes(outcome) ? n : 0), 0)
  const took = counts.filter(({ outcome }) => outcome === 'finished')
  return {
    started: of('started'),
    finished: of('finished'),
    failed: of('error', 'timed_out'),
    cancelled: of('cancelled'),
    p50_s: quantile(took, 0.5),
    p95_s: quantile(took, 0.95),
  }
}

/** The duration that a part of the runs did not go beyond. */
function quantile(took: readonly RunCount[], part: number): number | null {
  const all = took.reduce((sum, { runs: n }) => sum + n, 0)
  let rank = Math.ceil(all * part)
  for (const { bucket, runs: n } of took.toSorted((a, b) => a.bucket - b.bucket)) {
    rank -= n
    if (rank <= 0) return secondsOf(bucket)
  }
  return null
}

const NOTHING: ModelSums = { calls: 0, priced: 0, cost: 0, durationS: 0, input_uncached: 0, cache_read: 0, cache_write: 0, output: 0, reasoning: 0 }

function usageSums(used: readonly ModelSums[]) {
  const { calls, priced, cost, durationS: _, ...tokens } = used.reduce((sum, one) => addSums(sum, one), NOTHING)
  const { input_uncached, cache_read, cache_write, output, reasoning } = tokens
  return { calls, priced_calls: priced, cost, tokens: { input_uncached, cache_read, cache_write, output, reasoning } }
}

function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}
