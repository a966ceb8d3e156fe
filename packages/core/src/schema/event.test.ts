// Goal: the schemas say exactly what `EventData` says: nothing that the type allows is refused, and nothing else is let in. Method: compare the types at compile time; at run time
// accept every generated event with an unknown field added, refuse a table of wrong ones.
import { eventData } from '@koco/testing'
import fc from 'fast-check'
import { expect, expectTypeOf, test } from 'vitest'
import type { z } from 'zod'
import { EVENT_KINDS, toJson, type EventData, type EventKind, type Json } from '../index.ts'
import { eventSchema, jsonSchema, type eventSchemas } from './index.ts'

/** A type without the index signature that lets unknown fields pass. */
type Known<T> = Json extends T
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Known<Item>[]
    : T extends object
      ? { readonly [Key in keyof T as string extends Key ? never : Key]: Known<T[Key]> }
      : T
type Parsed = { readonly [K in EventKind]: Known<z.output<(typeof eventSchemas)[K]>> }
type Declared = { readonly [K in EventKind]: Known<EventData[K]> }

test('the types of the schemas are those of EventData', () => {
  expectTypeOf<Parsed>().toEqualTypeOf<Declared>()
})

test.each(EVENT_KINDS)('%s: whatever the type allows passes unchanged, unknown fields too', (kind) => {
  fc.assert(
    fc.property(eventData[kind] as fc.Arbitrary<EventData[EventKind]>, (data) => {
      const sent = { ...(toJson(data) as object), field_of_a_later_version: [1] }
      expect(eventSchema(kind).parse(sent)).toEqual(sent)
    }),
  )
})

const error = { name: 'Error', message: 'm' }
const tokens = { input_uncached: 1, cache_read: 1, cache_write: 1, output: 1, reasoning: 1 }
const step = { id: 'a', name: 'a', try: 1 }
const WRONG: readonly (readonly [EventKind, Json])[] = [
  ['attempt', { attempt: 1.5, reason: 'start', owner: 'w' }],
  ['attempt', { attempt: 1, reason: 'because', owner: 'w' }],
  ['attempt', { attempt: 1, reason: 'start', owner: 'w', prev: '01-1' }],
  ['attempt', { attempt: 1, reason: 'start', owner: 'w', lost: { from: '1-1' } }],
  ['status', { status: 'done' }],
  ['status', { status: 'awaiting', until: 'tomorrow' }],
  ['inputs', {}],
  ['meta', { flow: 'f', version: null, summary: 's', tags: 'travel', user: 'ann' }],
  ['agent', { type: 'markdown' }],
  ['agent', { type: 'video', value: 1 }],
  ['action', { value: 1 }],
  ['result', 'text'],
  ['final', null],
  ['error', { name: 'Error' }],
  ['warning', { value: 'w' }],
  ['debug', { type: 'text' }],
  ['stdout', { text: 1 }],
  ['stderr', {}],
  ['upload', { path: 'a', size: -1 }],
  ['progress', { done: 1 }],
  ['step', { ...step, phase: 'begun' }],
  ['step', { ...step, phase: 'finished', duration_s: 1 }],
  ['step', { ...step, phase: 'failed', duration_s: 1, error }],
  ['step', { ...step, try: 0, phase: 'started' }],
  ['sleep', { phase: 'started', id: 'a' }],
  ['child', { phase: 'started', id: 'a', fid: 'f', flow: 'x' }],
  ['child', { phase: 'ended', id: 'a', fid: 'f', flow: 'x', status: 'finished', error }],
  ['child', { phase: 'ended', id: 'a', fid: 'f', flow: 'x', status: 'running', error }],
  ['lock', { lid: 'l', name: 'n', form: {}, data: null }],
  ['escalate', { lid: 'l', step: 0, at: 1, assignees: [], roles: [] }],
  ['lease', { lid: 'l', by: 'ann', at: 1 }],
  ['lease', { lid: 'l', expired: false, at: 1 }],
  ['pause', { reason: 'r' }],
  ['resume', {}],
  ['cancel', []],
  ['model', { provider: 'p', model: 'm', duration_s: 1, tokens: { ...tokens, output: -1 }, cost: null }],
  ['model', { provider: 'p', model: 'm', duration_s: -1, tokens, cost: null }],
  ['model', { provider: 'p', model: 'm', duration_s: 1, tokens }],
  ['tool', { name: 't', duration_s: 1 }],
  ['tool', { name: 't', input: 1, duration_s: 1, error: 'e' }],
]

test.each(WRONG)('%s: %j is refused', (kind, data) => {
  expect(eventSchema(kind).safeParse(data).success).toBe(false)
})

test('every kind has an example that is refused', () => {
  expect(new Set(WRONG.map(([kind]) => kind))).toEqual(new Set(EVENT_KINDS))
})

test.each([undefined, Number.NaN, Number.POSITIVE_INFINITY, () => 1, Symbol('s'), 1n, [undefined]])('what JSON cannot carry is no JSON value: %s', (value) => {
  expect(jsonSchema.safeParse(value).success).toBe(false)
})

test('a cycle is no JSON value', () => {
  const cycle: unknown[] = []
  cycle.push(cycle)
  expect(jsonSchema.safeParse(cycle).success).toBe(false)
})
