import type * as api from '@koco/core/api'
import { canonicalJson, toJson, type Json, type TypedValue } from '@koco/core'
import { z } from 'zod'
import { pairSteps, type ComparedStep } from '../compare/compare-runs.ts'
import { diffLines } from '../compare/line-diff.ts'
import type { Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { json } from '../shapes/json.ts'
import { Run, runJson } from '../shapes/run.ts'
import { fidParam, visibleRun, type StoredRun } from './visible-run.ts'
import { shapeOf } from '../shapes/shape-of.ts'

const Step = shapeOf<api.ComparedStep>()(
  z.object({
    status: z.enum(['finished', 'failed', 'open']),
    tries: z.number().int(),
    duration_s: z.number().nullable(),
    tokens: z.number().int(),
    cost: z.number().nullable(),
    result: json.describe('what it gave, or why it failed; long ones are cut'),
  }),
)

const lines = z.array(z.object({ in: z.enum(['both', 'a', 'b']), text: z.string() }))

const Comparison = shapeOf<api.RunComparison>()(
  z
    .object({
      a: Run,
      b: Run,
      inputs: lines.describe('the inputs as indented JSON, line by line'),
      final: lines.describe('the results, or the errors, line by line'),
      steps: z
        .array(z.object({ id: z.string(), name: z.string(), same: z.boolean(), a: Step.nullable(), b: Step.nullable() }))
        .describe('aligned by their ids: group, name, and key or count'),
      differences: z
        .object({ runtime_s: z.number().nullable(), events: z.number().int(), tokens: z.number().int(), cost: z.number().nullable() })
        .describe('b less a'),
    })
    .meta({ id: 'RunComparison', description: 'Two runs side by side.' }),
)

/** Two runs side by side. */
export const runCompareRoutes: Routes = (app, context) => {
  app.get(
    '/api/runs/compare',
    {
      config: { access: 'runs.read' },
      schema: {
        tags: ['runs'],
        summary: 'Two runs side by side: inputs, results, and steps with their time, tokens and cost',
        querystring: z.object({ a: fidParam, b: fidParam }),
        ...answers({ 200: Comparison }, 401, 403, 404),
      },
    },
    async (request) => {
      const a = await visibleRun(context, request, request.query.a, 'runs.read')
      const b = await visibleRun(context, request, request.query.b, 'runs.read')
      const now = context.clock()
      const [left, right] = [runJson(a, now), runJson(b, now)]
      const steps = await pairSteps({ reader: context.store.reader, contents: context.contents }, a.fid, b.fid)
      const less = (of: number | null, from: number | null) => (of === null || from === null ? null : Math.round((of - from) * 1e6) / 1e6)
      return {
        a: left,
        b: right,
        inputs: diffLines(pretty(a.inputs), pretty(b.inputs)),
        final: diffLines(outcome(a), outcome(b)),
        steps: steps.map((pair) => ({ id: pair.id, name: pair.name, same: pair.same, a: pair.a && stepJson(pair.a), b: pair.b && stepJson(pair.b) })),
        differences: {
          runtime_s: less(right.runtime_s, left.runtime_s),
          events: b.events - a.events,
          tokens: tokensOf(b) - tokensOf(a),
          cost: less(b.usage?.cost ?? null, a.usage?.cost ?? null),
        },
      }
    },
  )
}

function stepJson({ status, tries, durationS, tokens, cost, result }: ComparedStep): z.infer<typeof Step> {
  return { status, tries, duration_s: durationS, tokens, cost, result }
}

function tokensOf({ usage }: StoredRun): number {
  if (!usage) return 0
  return usage.input_uncached + usage.cache_read + usage.cache_write + usage.output + usage.reasoning
}

function pretty(value: Json): string {
  return JSON.stringify(JSON.parse(canonicalJson(value)), null, 2)
}

function outcome({ final, error }: StoredRun): string {
  if (final) return textOf(final)
  return error ? pretty(toJson(error)) : ''
}

function textOf({ value }: TypedValue): string {
  return typeof value === 'string' ? value : pretty(value)
}
