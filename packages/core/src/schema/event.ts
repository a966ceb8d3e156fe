import { z } from 'zod'
import type { EventData, EventKind } from '../index.ts'
import { durationSchema, errorValueSchema, jsonSchema, positionSchema, statusSchema, timeSchema, tokenCountsSchema, typedValueSchema } from './values.ts'

const text = z.string()
const output = z.looseObject({ text })
const step = { id: text, name: text, try: z.int().positive(), input: text.optional() }

const contentSchema = z.looseObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.int().nonnegative(), stored: z.int().nonnegative() })

const stepSchema = z.discriminatedUnion('phase', [
  z.looseObject({ phase: z.literal('started'), ...step }),
  z.looseObject({
    phase: z.literal('finished'),
    ...step,
    duration_s: durationSchema,
    result: jsonSchema,
    undefined: z.literal(true).optional(),
    content: contentSchema.optional(),
  }),
  z.looseObject({ phase: z.literal('failed'), ...step, duration_s: durationSchema, error: errorValueSchema, retry_at: timeSchema.nullable() }),
])

const sleepSchema = z.discriminatedUnion('phase', [
  z.looseObject({ phase: z.literal('started'), id: text, until: timeSchema }),
  z.looseObject({ phase: z.literal('finished'), id: text }),
])

const child = { id: text, fid: text, flow: text }

const childSchema = z.union([
  z.looseObject({ phase: z.literal('started'), ...child, input: text }),
  z.looseObject({ phase: z.literal('ended'), ...child, status: z.literal('finished'), result: typedValueSchema }),
  z.looseObject({ phase: z.literal('ended'), ...child, status: z.enum(['error', 'cancelled', 'timed_out']), error: errorValueSchema }),
])

const leaseSchema = z.union([
  z.looseObject({ lid: text, answer: jsonSchema, by: text, at: timeSchema, reason: text.optional() }),
  z.looseObject({ lid: text, expired: z.literal(true), at: timeSchema }),
])

const escalation = { at: timeSchema, assignees: z.array(text).readonly(), roles: z.array(text).readonly() }

/** What each kind of event carries. Unknown fields pass, as every reader must let them; wrong and missing ones do not. */
export const eventSchemas = {
  attempt: z.looseObject({
    attempt: z.int().nonnegative(),
    reason: z.enum(['start', 'recover', 'wake', 'resume', 'retry', 'finalise']),
    owner: text,
    prev: positionSchema.optional(),
    traceparent: text.optional(),
    lost: z.looseObject({ from: positionSchema, to: positionSchema }).optional(),
  }),
  status: z.looseObject({ status: statusSchema, reason: text.optional(), until: timeSchema.nullable().optional(), deaths: z.int().positive().optional() }),
  inputs: z.looseObject({ inputs: jsonSchema }),
  meta: z.looseObject({ flow: text, version: text.nullable(), summary: text, tags: z.array(text).readonly(), user: text, parent: text.optional() }),
  agent: typedValueSchema,
  action: z.looseObject({ name: text, value: jsonSchema.optional() }),
  result: typedValueSchema,
  final: typedValueSchema,
  error: errorValueSchema,
  warning: typedValueSchema,
  debug: typedValueSchema,
  stdout: output,
  stderr: output,
  upload: z.looseObject({ path: text, size: z.int().nonnegative(), type: text.optional() }),
  progress: z.looseObject({ done: z.number(), total: z.number().nullable(), text: text.optional() }),
  step: stepSchema,
  sleep: sleepSchema,
  child: childSchema,
  lock: z.looseObject({
    lid: text,
    name: text,
    form: jsonSchema,
    data: jsonSchema,
    expires_at: timeSchema.nullable(),
    assignees: z.array(text).readonly().optional(),
    roles: z.array(text).readonly().optional(),
    escalations: z.array(z.looseObject(escalation)).readonly().optional(),
  }),
  escalate: z.looseObject({ lid: text, step: z.int().positive(), ...escalation }),
  lease: leaseSchema,
  pause: z.looseObject({ by: text, reason: text.optional() }),
  resume: z.looseObject({ by: text }),
  cancel: z.looseObject({ by: text, reason: text.optional() }),
  model: z.looseObject({
    provider: text,
    model: text,
    duration_s: durationSchema,
    tokens: tokenCountsSchema,
    cost: z.number().nullable(),
    text: text.optional(),
  }),
  tool: z.looseObject({ name: text, input: jsonSchema, output: jsonSchema.optional(), error: errorValueSchema.optional(), duration_s: durationSchema }),
} satisfies { readonly [K in EventKind]: z.ZodType<EventData[K]> }

/** The schema of one kind's data. */
export function eventSchema<K extends EventKind>(kind: K): (typeof eventSchemas)[K] {
  return eventSchemas[kind]
}
