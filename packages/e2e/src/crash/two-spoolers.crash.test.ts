// Goal: with Redis, Postgres and two spooler processes, the death of one by kill -9 in the middle loses no event, doubles none and keeps the order.
// Method: 50 real runs emit 20,000 events through the HTTP API's process; a third of the way one spooler is killed; at the end every run is judged by the checker and by the numbers that it emitted.
import type { EventRecord } from '@koco/core'
import { checkRun } from '@koco/testing'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import type { ApiClient, ApiEvent } from '../processes/api-client.ts'
import { distributed } from '../processes/stacks.ts'

const RUNS = 50
const EVENTS = 400

test('fifty runs emit 20,000 events while a spooler dies: all stored once, in order', async () => {
  await using stack = await distributed(0)
  const [first, second] = [1, 2].map((slot) => stack.spawn(['spool', '--block', '--spooler-name', `spooler-${slot}`]))
  const client = await stack.client()
  const database = new Client({ connectionString: stack.env['KODO_EXECUTION_DATABASE'] })
  await database.connect()
  const fids = await Promise.all(Array.from({ length: RUNS }, () => client.start('emit-many', { events: EVENTS, pauseMs: 150 })))
  await first?.until(async () => (await storedCount(database)) > (RUNS * EVENTS) / 3)
  await first?.kill('SIGKILL')
  for (const fid of fids) await ended(client, fid)
  for (const fid of fids) {
    const timeline = await client.events(fid)
    expect(checkRun({ fid, acknowledged: [], stored: await storedRecords(database, fid), timeline: timeline.map(recordOf) })).toEqual([])
    expect(ticks(timeline)).toEqual(Array.from({ length: EVENTS }, (_none, n) => n))
  }
  await database.end()
  expect(await second?.kill('SIGTERM')).toBe(0)
})

async function ended(client: ApiClient, fid: string): Promise<void> {
  for await (const frame of client.tail(fid)) if (frame.event === 'end') break
  expect((await client.run(fid)).status).toBe('finished')
}

async function storedCount(database: Client): Promise<number> {
  const { rows } = await database.query<{ count: string }>('SELECT count(*) FROM execution_events')
  return Number(rows[0]?.count)
}

async function storedRecords(database: Client, fid: string): Promise<EventRecord[]> {
  const { rows } = await database.query<{ epoch: string; seq: string; timestamp: number; kind: string; step: string | null; message: string }>(
    'SELECT epoch, seq, timestamp, kind, step, message FROM execution_events WHERE fid = $1 ORDER BY id',
    [fid],
  )
  return rows.map((row) => ({ epoch: Number(row.epoch), seq: Number(row.seq), ts: row.timestamp, kind: row.kind, step: row.step, data: row.message }))
}

function recordOf(event: ApiEvent): EventRecord {
  const { epoch, seq, ts, kind, step, data } = event
  return { epoch, seq, ts, kind, step, data: JSON.stringify(data) }
}

function ticks(timeline: readonly ApiEvent[]): number[] {
  return timeline.filter((event) => event.kind === 'action').map((event) => (event.data as { value: { n: number } }).value.n)
}
