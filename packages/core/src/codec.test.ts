// Goal: an event is the same text wherever it comes by, for ever, and nothing unsafe or too large gets in. Method: golden records that must encode and decode byte for byte, and
// properties over generated events.
import { readFileSync } from 'node:fs'
import { newEvent, unsafeText } from '@koco/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeEvent, encodeEvent, eventJson, isEventKind } from './codec.ts'
import { must, RefusedError } from './errors.ts'
import { EVENT_BYTES_MAX, EVENT_KINDS, type EventRecord } from './event.ts'
import { toJson } from './json.ts'
import { formatPosition } from './position.ts'
import { eventSchema } from './schema/index.ts'

type Line = Omit<EventRecord, 'data'> & { readonly position: string; readonly fid: string; readonly data: unknown }

const FID = '6ab13b80c0ffee00c0ffee00'
const golden = readFileSync(new URL('../fixtures/events.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')

/** The record of a golden line, its data as the very text that stands in the line. */
function recordOf(line: string): EventRecord {
  const { epoch, seq, ts, kind, step } = JSON.parse(line) as Line
  return { epoch, seq, ts, kind, step, data: line.slice(line.indexOf(',"data":') + ',"data":'.length, -1) }
}

test('the golden records have every kind', () => {
  expect(new Set(golden.map((line) => recordOf(line).kind))).toEqual(new Set(EVENT_KINDS))
})

test.each(golden)('decodes, fits its schema and encodes to the same bytes: %s', (line) => {
  const record = recordOf(line)
  const event = must(decodeEvent(FID, record), 'a known kind')
  expect(eventSchema(event.kind).safeParse(event.data).success).toBe(true)
  const encoded = { epoch: event.epoch, seq: event.seq, ...encodeEvent(event, 'trip-planner') }
  expect(encoded).toEqual(record)
  expect(eventJson(event.fid, encoded)).toBe(line)
  expect((JSON.parse(line) as Line).position).toBe(formatPosition(event))
})

test('every event comes back as what JSON makes of it', () => {
  fc.assert(
    fc.property(newEvent(), fc.nat(), fc.nat(), (event, epoch, seq) => {
      const record = { epoch, seq, ...encodeEvent(event, 'f') }
      const { step, ...rest } = must(decodeEvent(FID, record), event.kind)
      expect({ step, ...rest }).toEqual({ fid: FID, epoch, seq, ts: event.ts, kind: event.kind, step: event.step, data: toJson(event.data) })
      expect(JSON.parse(eventJson(FID, record))).toEqual({ ...rest, position: `${epoch}-${seq}`, step: event.step ?? null })
      expect(eventJson(FID, record)).not.toContain('\n')
    }),
  )
})

test('NUL and lone surrogates never reach a record', () => {
  fc.assert(
    fc.property(unsafeText(), (text) => {
      const { data } = encodeEvent({ kind: 'stdout', data: { text }, ts: 1 }, 'f')
      expect(data.isWellFormed()).toBe(true)
      const { text: kept } = JSON.parse(data) as { text: string }
      expect(kept).not.toContain('\u0000')
      expect(kept).toBe(text.toWellFormed().replaceAll('\u0000', '\ufffd'))
    }),
  )
})

test('a kind of a later version decodes to nothing', () => {
  expect(isEventKind('hologram')).toBe(false)
  expect(isEventKind('toString')).toBe(false)
  expect(decodeEvent(FID, { epoch: 1, seq: 1, ts: 1, kind: 'hologram', step: null, data: '{}' })).toBeUndefined()
})

test('broken JSON throws SyntaxError', () => {
  expect(() => decodeEvent(FID, { epoch: 1, seq: 1, ts: 1, kind: 'stdout', step: null, data: '{' })).toThrow(SyntaxError)
})

test.each([
  ['one byte a letter', 'x', EVENT_BYTES_MAX - '{"text":""}'.length],
  ['two bytes a letter', 'é', (EVENT_BYTES_MAX - '{"text":""}'.length - 1) / 2],
  ['four bytes an emoji', '🧭', Math.floor((EVENT_BYTES_MAX - '{"text":""}'.length) / 4)],
])('an event of the largest size is taken, one more letter is refused: %s', (_name, letter, count) => {
  const encode = (times: number, step?: string) => encodeEvent({ kind: 'stdout', data: { text: letter.repeat(times) }, ts: 1, step }, 'trip-planner')
  expect(encode(count).kind).toBe('stdout')
  expect(() => encode(count + 1)).toThrow(RefusedError)
  expect(() => encode(count + 1)).toThrow(/^The stdout event of flow "trip-planner" has 26\d{4} bytes; the limit is 262144\. Write large data to a file/)
  expect(() => encode(count + 1, 'fetch#1')).toThrow(/of step "fetch#1" of flow "trip-planner"/)
})
