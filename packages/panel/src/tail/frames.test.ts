/*
 * Goal: frames are one line each whatever an event holds, and say honestly where events are missing or taken back.
 * Method: pages made by hand go in, text comes out.
 */
import type { EventRecord } from '@koco/core'
import { describe, expect, test } from 'vitest'
import { chunkOf, eventFrame } from './frames.ts'

const FID = '0123456789abcdef01234567'
const record = (epoch: number, seq: number, kind = 'stdout', data = '{"text":"x"}'): EventRecord => ({ epoch, seq, ts: 1, kind, step: null, data })
const page = (records: readonly EventRecord[], lost: readonly { from: { epoch: number; seq: number }; to: { epoch: number; seq: number } }[] = []) => ({
  records,
  lost,
  caughtUp: true,
  scanned: records.at(-1) ?? { epoch: 0, seq: 0 },
})
const textOf = (...given: Parameters<typeof chunkOf>): string => chunkOf(...given).frames.toString()

describe('an event frame', () => {
  test('is one line of JSON, the data as it is stored', () => {
    expect(eventFrame(FID, record(5, 2, 'stdout', '{"text":"a\\nb"}'))).toBe(
      `id: 5-2\nevent: stdout\ndata: {"position":"5-2","fid":"${FID}","epoch":5,"seq":2,"ts":1,"kind":"stdout","step":null,"data":{"text":"a\\nb"}}\n\n`,
    )
  })

  test('stays one line when the stored JSON is broken over lines', () => {
    const frame = eventFrame(FID, record(5, 2, 'stdout', '{\r\n "text": "x"\n}'))
    expect(frame.split('\n')).toHaveLength(5)
    expect(JSON.parse(frame.split('\n')[2]?.slice(6) ?? '')).toMatchObject({ data: { text: 'x' } })
  })

  test('a kind of a later version cannot break out of its line', () => {
    expect(eventFrame(FID, record(5, 2, 'new\ndata: x')).split('\n')).toHaveLength(5)
  })
})

describe('a chunk', () => {
  test('says where events are lost, before the one that follows', () => {
    const text = textOf(FID, { epoch: 5, seq: 1 }, page([record(5, 2), record(5, 6)], [{ from: { epoch: 5, seq: 3 }, to: { epoch: 5, seq: 5 } }]))
    expect(text).toMatch(/id: 5-2\n[^]*event: gap\ndata: \{"from":"5-3","to":"5-5"\}\n\nid: 5-6\n/)
  })

  test('says when a new epoch takes back what was shown', () => {
    const attempt = record(9, 1, 'attempt', '{"attempt":2,"reason":"recover","owner":"x","prev":"5-3"}')
    expect(textOf(FID, { epoch: 5, seq: 7 }, page([attempt]))).toMatch(/^event: reset\ndata: \{"after":"5-3","reason":"superseded"\}\n\nid: 9-1\n/)
    expect(textOf(FID, { epoch: 5, seq: 3 }, page([attempt]))).toMatch(/^id: 9-1\n/)
  })

  test('knows the last word of a run', () => {
    const status = (name: string): EventRecord => record(5, 8, 'status', `{"status":"${name}"}`)
    expect(chunkOf(FID, { epoch: 5, seq: 7 }, page([status('finished')]))).toMatchObject({ ending: true, last: { epoch: 5, seq: 8 } })
    expect(chunkOf(FID, { epoch: 5, seq: 7 }, page([status('running')])).ending).toBe(false)
    expect(chunkOf(FID, { epoch: 5, seq: 7 }, page([]))).toMatchObject({ last: { epoch: 5, seq: 7 }, caughtUp: true })
  })
})
