import { isJsonObject, RefusedError, type Json } from '@koco/core'
import type { Budget, FlowEntry } from '@koco/storage'
import type { z } from 'zod'
import type { FlowContext } from './context.ts'
import { durationMs, type Duration } from './duration.ts'
import { jsonSchemaOf } from './json-schema.ts'

/** What a flow author writes. */
export type FlowDefinition<S extends z.ZodObject> = {
  /** 1 to 63 of `a-z 0-9 - _ .`, beginning with a letter or digit; unique in its catalogue. */
  readonly name: string
  /** One sentence for lists. */
  readonly summary: string
  /** Markdown for the flow's page. */
  readonly description?: string
  /** At most 20 of at most 50 characters; the catalogue filters by them. */
  readonly tags?: readonly string[]
  readonly author?: string
  /** Of the code. While workers serve several versions, new runs begin on the one that came last, and each goes on where its own is served. */
  readonly version?: string
  /** What a run takes; a form is made of it. */
  readonly inputs: S
  /** Limit of a run's working time; time in locks, sleeps and pauses does not count. Default: none. */
  readonly timeout?: Duration
  /**
   * What one run may spend on models (`ctx.model`) before it is held at its next step and asks whether it goes on. `warnAt`: the part of it at which the run is warned, default 0.8. Operators may set
   * further budgets.
   */
  readonly budget?: { readonly cost?: number; readonly tokens?: number; readonly warnAt?: number }
  /** The work. What it returns is the run's result: a value of `ctx.markdown` and its kin, or any JSON. */
  run(inputs: z.output<S>, ctx: FlowContext): unknown
}

/** A checked flow, frozen. `inputsJsonSchema` describes what a run takes. */
export type Flow = {
  readonly koco: 'flow'
  readonly name: string
  readonly summary: string
  readonly description: string
  readonly tags: readonly string[]
  readonly author: string | null
  readonly version: string | null
  readonly inputs: z.ZodObject
  readonly inputsJsonSchema: Json
  readonly timeoutMs: number | null
  readonly budget: Budget | null
  readonly run: (inputs: unknown, ctx: FlowContext) => unknown
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/
const SUMMARY_MAX = 500
const TAGS_MAX = 20
const TAG_MAX = 50

/** Checks a definition and gives the flow. RefusedError `bad_flow` names the flow and what is wrong with it. */
export function defineFlow<S extends z.ZodObject>(definition: FlowDefinition<S>): Flow {
  const { name, summary, description, tags, author, version, inputs, timeout, budget, run } = definition
  check(NAME.test(name), name, 'its name must be 1 to 63 of a-z, 0-9, "-", "_", "." and begin with a letter or digit')
  check(typeof summary === 'string' && summary.trim() !== '', name, 'it needs a summary: one sentence that says what it does')
  check(summary.length <= SUMMARY_MAX, name, `its summary has ${summary.length} characters, more than ${SUMMARY_MAX}: put the rest into the description`)
  check(typeof run === 'function', name, 'it needs a function `run(inputs, ctx)`')
  check(
    (tags ?? []).length <= TAGS_MAX && (tags ?? []).every((tag) => /\S/.test(tag) && tag.length <= TAG_MAX),
    name,
    `its tags must be at most ${TAGS_MAX} texts of 1 to ${TAG_MAX} characters`,
  )
  return Object.freeze({
    koco: 'flow',
    name,
    summary: summary.trim(),
    description: description ?? '',
    tags: Object.freeze([...(tags ?? [])]),
    author: author ?? null,
    version: version ?? null,
    inputs,
    inputsJsonSchema: inputSchema(name, inputs),
    timeoutMs: timeout === undefined ? null : durationMs(timeout, `timeout of flow "${name}"`),
    budget: budget === undefined ? null : ownBudget(name, budget),
    run: (values, ctx) => run.call(definition, values as z.output<S>, ctx),
  })
}

/** True for what `defineFlow` gives. */
export function isFlow(value: unknown): value is Flow {
  return typeof value === 'object' && value !== null && (value as { koco?: unknown }).koco === 'flow'
}

/** The flows among a module's exports, also those in exported arrays; each once. */
export function flowsOf(module: Readonly<Record<string, unknown>>): Flow[] {
  const found = Object.values(module).flatMap((value): unknown[] => (Array.isArray(value) ? value : [value]))
  return [...new Set(found.filter(isFlow))]
}

/** A flow as registries and catalogues list it. */
export function flowEntry(flow: Flow): FlowEntry {
  const { name, version, summary, description, tags, author, inputsJsonSchema } = flow
  return { name, version, summary, description, tags, author, inputs: inputsJsonSchema }
}

function inputSchema(name: string, inputs: z.ZodObject): Json {
  check(
    typeof inputs === 'object' && inputs !== null && '_zod' in inputs && inputs._zod.def.type === 'object',
    name,
    'its inputs must be a z.object({…}) of zod 4',
  )
  try {
    const schema = jsonSchemaOf(inputs)
    return isJsonObject(schema) ? schema : {}
  } catch (error) {
    throw new RefusedError(`Flow "${name}" has inputs that no JSON Schema can describe: ${String(error)}`, { code: 'bad_flow', cause: error })
  }
}

function ownBudget(name: string, { cost, tokens, warnAt = 0.8 }: NonNullable<FlowDefinition<z.ZodObject>['budget']>): Budget {
  const isAmount = (value: number | undefined): boolean => value === undefined || (Number.isFinite(value) && value > 0)
  check(
    isAmount(cost) && isAmount(tokens) && (cost ?? tokens) !== undefined && warnAt > 0 && warnAt <= 1,
    name,
    'its budget needs a cost or tokens above 0, and a warnAt above 0 and at most 1',
  )
  const common = { id: 'of the flow', flow: name, user: null, per: 'run', assignees: [], changedAt: 0, changedBy: name } as const
  return { ...common, costMax: cost ?? null, tokensMax: tokens ?? null, warnAt }
}

function check(condition: boolean, name: unknown, rule: string): void {
  if (!condition) throw new RefusedError(`Flow ${JSON.stringify(name)} is not well defined: ${rule}.`, { code: 'bad_flow' })
}
