// Goal: the verdict of a drill sees what is missing, twice or made again, and nothing in a good run. Method: one good run, spoilt in one way a test; acknowledgements as a worker writes them down.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ORIGIN, type EventRecord } from '@koco/core'
import type { EventReader } from '@koco/storage'
import { createMemoryTransport } from '@koco/transport'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readAcknowledged, writeAcknowledged } from './acknowledged.ts'
import { judgeRun } from './verdict.ts'

const FID = '6ab13b80'.padEnd(24, '0')

let dir: string
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'koco-verdict-'))))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function record(epoch: number, seq: number, kind: string, data: unknown): EventRecord {
  return { epoch, seq, ts: epoch, kind, step: null, data: JSON.stringify(data) }
}
const finished = (epoch: number, seq: number, id: string): EventRecord =>
  record(epoch, seq, 'step', { phase: 'finished', id, name: 'work', try: 1, duration_s: 1, result: null })
const attempt = (epoch: number, prev: string): EventRecord => record(epoch, 1, 'attempt', { attempt: 1, reason: 'start', owner: 'w', prev })

const run = [attempt(10, '0-0'), finished(10, 2, 'a'), attempt(20, '10-2'), finished(20, 2, 'b')]
const readerOf = (records: readonly EventRecord[]): EventReader => ({
  read: () => Promise.resolve({ records, scanned: records.at(-1) ?? ORIGIN, caughtUp: true, lost: [] }),
})

test('a good run has no fault; what was acknowledged twice counts once', async () => {
  const { checker, faults } = await judgeRun(readerOf(run), FID, [...run, ...run])
  expect([checker, faults]).toEqual([{ acknowledged: 4, stored: 4, duplicates: 0, holes: 0 }, []])
})

test('an acknowledged event that is not stored is a hole', async () => {
  const { checker, faults } = await judgeRun(readerOf(run.toSpliced(1, 1)), FID, run)
  expect(checker).toMatchObject({ stored: 3, holes: 2 })
  expect(faults.join()).toContain('10-2')
})

test('a finished step that was made again is a duplicate', async () => {
  const again = [...run.slice(0, 3), finished(20, 2, 'a')]
  const { checker, faults } = await judgeRun(readerOf(again), FID, again)
  expect([checker.duplicates, faults]).toEqual([1, ['step a was finished more than once']])
})

test('a worker writes down what the stream took, and only that; a line that was cut short is none', async () => {
  const file = join(dir, 'acknowledged.jsonl')
  appendFileSync(file, '')
  const transport = createMemoryTransport()
  const streams = writeAcknowledged(transport.streams, file)
  await streams.create(FID, ORIGIN)
  const bodies = [
    { ts: 1, kind: 'attempt', step: null, data: '{"attempt":1,"reason":"start","owner":"w"}' },
    { ts: 1, kind: 'stdout', step: null, data: '{"text":"x"}' },
  ]
  const appended = streams.append(FID, 10, 1, bodies)
  const consumer = transport.consumer('c')
  await consumer.acquire(1, 1000)
  await consumer.read([FID], 10)
  await consumer.ack([{ fid: FID, upTo: { epoch: 10, seq: 2 } }])
  expect((await appended).answer).toBe('ok')
  expect((await streams.append(FID, 10, 9, bodies)).answer).toBe('gap')
  appendFileSync(file, `{"fid":"${FID}","epoch":10,"se`)
  expect(readAcknowledged([file], FID).map(({ epoch, seq, kind }) => `${epoch}-${seq} ${kind}`)).toEqual(['10-1 attempt', '10-2 stdout'])
  await transport.close()
})
