// Goal: each event reads as one plain line, whatever an agent put into it. Method: one event a case, and a property over all kinds with any JSON as data.
import { EVENT_KINDS, type Json } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eventLine } from './event-line.ts'

const event = (kind: string, data: Json): TimelineEvent => ({ position: '1-1', fid: 'f', epoch: 1, seq: 1, ts: 0, kind, step: null, data })

test('steps, answers, models and errors read as sentences', () => {
  expect(
    eventLine(event('step', { phase: 'failed', id: 'a', name: 'fetch', try: 2, duration_s: 1.5, error: { name: 'Error', message: 'no route' }, retry_at: 9 })),
  ).toEqual({
    text: 'fetch failed after 1.5 s (try 2), will be tried again: Error: no route',
    tone: 'bad',
  })
  expect(eventLine(event('lease', { lid: 'l', answer: false, by: 'ann', at: 1 })).text).toBe('ann answered: false')
  expect(eventLine(event('model', { model: 'm-1', tokens: { input_uncached: 1000, output: 234 }, duration_s: 2, cost: 0.01 })).text).toBe(
    'm-1 · 1,234 tokens · 2.0 s · $0.010',
  )
})

test('a later version may send kinds that this page does not know', () => {
  expect(eventLine(event('hologram', { a: 1 })).text).toBe('{"a":1}')
})

test('every kind gives one line without control characters, whatever its data', () => {
  fc.assert(
    fc.property(fc.constantFrom(...EVENT_KINDS), fc.jsonValue(), fc.string({ unit: 'binary' }), (kind, data, text) => {
      for (const given of [data as Json, Object.assign({}, data, { text, value: text, name: text }) as Json]) {
        const line = eventLine(event(kind, given)).text
        expect(line.length).toBeLessThanOrEqual(400)
        // oxlint-disable-next-line eslint/no-control-regex -- the very characters that must not be there
        expect(line).not.toMatch(/[\u0000-\u001f\u202a-\u202e]/)
      }
    }),
  )
})
