/*
 * Goal: a live tail shows every committed event once and in order, from any cursor, through everything that happens to connections.
 * Method: a listening panel, HTTP clients that keep what they saw, and runs whose events the test writes to the store itself. Waiting is
 * for frames, never for time.
 */
import { connect } from 'node:net'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSse, type Frame, type SseClient } from '../testing/sse-client.ts'
import { closeTestParts, openTestPanel, type TestEvent, type TestPanel } from '../testing/test-panel.ts'

let at: TestPanel
let me: Awaited<ReturnType<TestPanel['user']>>

beforeEach(async () => {
  at = await openTestPanel({ settings: { blockedMsMax: 300, lookAgainMs: 200 } })
  me = await at.user('user')
})
afterEach(() => at.close())
afterAll(closeTestParts)

const texts = (from: number, count: number): TestEvent[] => Array.from({ length: count }, (_, i): TestEvent => ['stdout', { text: `line ${from + i}` }])
const withId = (client: SseClient): Frame[] => client.frames.filter((frame) => frame.id !== null)
const seqs = (client: SseClient): number[] => withId(client).map((frame) => (JSON.parse(frame.data) as { seq: number }).seq)
const tail = (fid: string, headers: Record<string, string> = {}, query = ''): Promise<SseClient> =>
  openSse(`${at.url}/api/runs/${fid}/events${query}`, { ...me.headers, ...headers })
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)

describe('a live tail', () => {
  test('gives what is stored, then what comes, then the end; a reconnect at the end gets 204', async () => {
    const run = await at.run(me.name)
    await run.begin()
    const client = await tail(run.fid)
    await client.first((frame) => frame.data.includes('"running"'))
    await run.emit(texts(0, 3))
    const last = await run.finish()
    const end = await client.first((frame) => frame.event === 'end')
    await client.ended
    expect(JSON.parse(end.data)).toEqual({ status: 'finished', position: last })
    expect(end.id).toBeNull()
    expect(seqs(client)).toEqual(upTo(10))
    expect(withId(client).at(-1)).toMatchObject({ id: last, event: 'status' })
    expect(client.frames[0]).toMatchObject({ event: 'retry', data: '2000' })
    const again = await tail(run.fid, { 'last-event-id': last })
    expect(again.status).toBe(204)
    expect(client.headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    expect(client.headers['content-security-policy']).toContain("default-src 'self'")
  })

  test('frames carry the event of the API in one line, as it is in a page', async () => {
    const run = await at.run(me.name)
    await run.begin()
    await run.emit([['stdout', { text: 'two\nlines, a backslash \\ and ünïcode' }]])
    await run.finish()
    const client = await tail(run.fid)
    await client.ended
    const page = (await (await fetch(`${at.url}/api/runs/${run.fid}/events`, { headers: me.headers })).json()) as { items: unknown[]; next: null }
    expect(withId(client).map((frame) => JSON.parse(frame.data) as unknown)).toEqual(page.items)
    expect(page.next).toBeNull()
  })

  test('goes on after a cut connection where the client was, by header and by query', async () => {
    const run = await at.run(me.name)
    await run.begin()
    const first = await tail(run.fid)
    await first.first((frame) => frame.data.includes('"running"'))
    first.close()
    await first.ended
    await run.emit(texts(0, 5))
    const cursor = withId(first).at(-1)?.id ?? ''
    const byHeader = await tail(run.fid, { 'last-event-id': cursor })
    const byQuery = await tail(run.fid, {}, `?after=${cursor}`)
    await run.emit(texts(5, 5))
    await run.finish()
    await Promise.all([byHeader.ended, byQuery.ended])
    const rest = upTo(17).slice(5)
    expect(seqs(byHeader)).toEqual(rest)
    expect(seqs(byQuery)).toEqual(rest)
  })

  test('a cursor of another form, of another run or above the end is refused', async () => {
    const run = await at.run(me.name)
    const other = await at.run(me.name)
    await run.begin()
    const foreign = await other.begin()
    await other.finish()
    for (const cursor of ['banana', '5', '-1-3', '1-2-3', '../etc', '99999999999999-1', foreign.replace(/-\d+$/, '-999')]) {
      for (const headers of [{ accept: 'text/event-stream' }, {}] as Record<string, string>[]) {
        const answer = await fetch(`${at.url}/api/runs/${run.fid}/events?after=${encodeURIComponent(cursor)}`, { headers: { ...me.headers, ...headers } })
        expect(answer.status, cursor).toBe(400)
        expect(await answer.json()).toMatchObject({ code: 'bad_cursor', status: 400 })
      }
    }
  })

  test('a lost wake-up is healed by looking again', async () => {
    const run = await at.run(me.name)
    await run.begin()
    const client = await tail(run.fid)
    await client.first((frame) => frame.data.includes('"running"'))
    await run.emit(texts(7, 1), 'quietly')
    expect(await client.first((frame) => frame.data.includes('line 7'))).toMatchObject({ event: 'stdout' })
    client.close()
  })

  test('ten thousand missed events come in order', async () => {
    const run = await at.run(me.name)
    await run.begin()
    for (let n = 0; n < 10; n++) await run.emit(texts(n * 1000, 1000), 'quietly')
    await run.finish()
    const client = await tail(run.fid)
    await client.ended
    expect(seqs(client)).toEqual(upTo(10_007))
  })

  test('200 readers of one run see the same, while others come and go', async () => {
    const run = await at.run(me.name)
    await run.begin()
    const readers = await Promise.all(Array.from({ length: 200 }, () => tail(run.fid)))
    for (let n = 0; n < 50; n++) {
      await run.emit(texts(n * 4, 4))
      if (n % 10 === 0) (await tail(run.fid)).close()
    }
    await run.finish()
    await Promise.all(readers.map((reader) => reader.ended))
    for (const reader of readers) expect(seqs(reader)).toEqual(upTo(207))
  })

  test('a slow reader is dropped, loses nothing and holds nobody up', async () => {
    const run = await at.run(me.name)
    await run.begin()
    const slow = connect({ port: Number(new URL(at.url).port), host: '127.0.0.1' })
    slow.pause()
    const dropped = new Promise<void>((resolve) => slow.once('close', () => resolve()))
    slow.on('error', () => undefined)
    slow.write(`GET /api/runs/${run.fid}/events HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nauthorization: ${me.headers.authorization}\r\n\r\n`)
    const quick = await tail(run.fid)
    for (let n = 0; n < 60; n++) await run.emit([['stdout', { text: 'x'.repeat(200_000) }]])
    await run.finish()
    await quick.ended
    expect(seqs(quick)).toEqual(upTo(67))
    const metrics = async (): Promise<string> => (await fetch(`${at.url}/metrics`)).text()
    await expect.poll(metrics, { timeout: 25_000 }).toContain('koco_live_streams_closed_total{reason="slow"} 1')
    slow.resume()
    await dropped
  })

  test('live text of a model goes out without id', async () => {
    const run = await at.run(me.name)
    await run.begin()
    const client = await tail(run.fid)
    await client.first((frame) => frame.data.includes('"running"'))
    const said = client.first((frame) => frame.event === 'delta')
    const timer = setInterval(() => void at.signals.publish([{ topic: 'delta', fid: run.fid, step: 'ask', text: 'Hel' }]), 10)
    expect(await said).toEqual({ id: null, event: 'delta', data: '{"step":"ask","text":"Hel"}' })
    clearInterval(timer)
    client.close()
  })

  test('ends with the session: a deleted key and a deactivated user close their streams', async () => {
    const run = await at.run(me.name)
    await run.begin()
    const operator = await at.user('operator')
    const mine = await tail(run.fid)
    await mine.first((frame) => frame.event === 'status')
    const answer = await fetch(`${at.url}/api/users/${me.name}`, {
      method: 'PATCH',
      headers: { ...operator.headers, 'content-type': 'application/json' },
      body: '{"active":false}',
    })
    expect(answer.status).toBe(200)
    await mine.ended
    expect((await tail(run.fid)).status).toBe(401)
    const theirs = await openSse(`${at.url}/api/runs/${run.fid}/events`, operator.headers)
    const { items } = (await (await fetch(`${at.url}/api/keys`, { headers: operator.headers })).json()) as { items: { id: string }[] }
    await fetch(`${at.url}/api/keys/${items[0]?.id ?? ''}`, { method: 'DELETE', headers: operator.headers })
    await theirs.ended
  })

  test('ends when a later look finds that its reader may no longer read', async () => {
    await at.close()
    at = await openTestPanel({ settings: { recheckMs: 50 } })
    me = await at.user('user')
    const run = await at.run(me.name)
    await run.begin()
    const client = await tail(run.fid)
    await client.first((frame) => frame.event === 'status')
    // Another process did this: nobody told the panel.
    await at.admin.users.update(me.id, { active: false })
    await client.ended
    expect((await tail(run.fid)).status).toBe(401)
  })

  test('at most so many streams of one user', async () => {
    await at.close()
    at = await openTestPanel({ settings: { streamsPerUserMax: 2 } })
    me = await at.user('user')
    const run = await at.run(me.name)
    await run.begin()
    const open = [await tail(run.fid), await tail(run.fid)]
    const refused = await tail(run.fid)
    expect(refused.status).toBe(429)
    expect(refused.headers['retry-after']).toBe('10')
    open.forEach((client) => client.close())
  })

  test('a shutdown ends streams with a word on when to come again', async () => {
    const run = await at.run(me.name)
    await run.begin()
    const client = await tail(run.fid)
    await client.first((frame) => frame.event === 'status')
    await at.panel.close(1_000)
    await client.ended
    expect(client.frames.filter((frame) => frame.event === 'retry')).toHaveLength(2)
  })
})
