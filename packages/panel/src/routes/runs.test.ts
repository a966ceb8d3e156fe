/*
 * Goal: runs are started, awaited, listed, asked and answered over HTTP; bad input gets one clear problem.
 * Method: a listening panel over the real store, transport, spooler and launcher; each answer is looked at whole where its shape matters.
 */
import { formatPosition } from '@koco/core'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { call, type Answer } from '../testing/call.ts'
import { TEST_FLOWS } from '../testing/test-flows.ts'
import { openSse } from '../testing/sse-client.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

let at: TestPanel
let me: Awaited<ReturnType<TestPanel['user']>>

beforeEach(async () => {
  at = await openTestPanel()
  me = await at.user('user')
})
afterEach(() => at.close())
afterAll(closeTestParts)

const post = (path: string, body: object | string, headers: Record<string, string> = {}): Promise<Answer> =>
  call(at.url + path, 'POST', { ...me.headers, ...headers }, body)
const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> => call(at.url + path, 'GET', { ...me.headers, ...headers })
const greet = { flow: 'hello', inputs: { name: 'Ann', times: 2 } }

describe('starting a run', () => {
  test('answers 201 with the fid at once', async () => {
    const started = await post('/api/runs', greet)
    expect(started.status).toBe(201)
    expect(started.body).toEqual({ fid: expect.stringMatching(/^[0-9a-f]{24}$/) as string })
    expect(started.headers.get('location')).toBe(`/api/runs/${String(started.body['fid'])}`)
  })

  test('with `Prefer: wait` answers with the ended run in the shape of the API', async () => {
    const ended = await post('/api/runs', greet, { prefer: 'wait=30' })
    expect(ended.status).toBe(201)
    expect(ended.headers.get('preference-applied')).toBe('wait=30')
    expect(ended.body).toEqual({
      fid: expect.stringMatching(/^[0-9a-f]{24}$/) as string,
      flow: 'hello',
      version: null,
      status: 'finished',
      user: me.name,
      summary: expect.any(String) as string,
      about: 'name=Ann, times=2',
      tags: ['demo', 'short'],
      parent: null,
      created_at: expect.any(Number) as number,
      started_at: expect.any(Number) as number,
      finished_at: expect.any(Number) as number,
      wake_at: null,
      deaths: 0,
      runtime_s: expect.any(Number) as number,
      attempt: 1,
      events: expect.any(Number) as number,
      last_position: expect.stringMatching(/^\d+-\d+$/) as string,
      open_locks: 0,
      locks: null,
      final: { type: 'text', value: 'Hello ANN, Hello ANN' },
      error: null,
      usage: null,
      progress: null,
    })
  })

  test('a wait that is over gives the run as it is', async () => {
    const waiting = await post('/api/runs', { flow: 'ask' }, { prefer: 'wait=0' })
    expect(waiting.status).toBe(201)
    expect(waiting.body).toMatchObject({ flow: 'ask', finished_at: null })
  })

  test('a failed run is awaited like any other', async () => {
    const failed = await post('/api/runs', { flow: 'fail' }, { prefer: 'wait=30' })
    expect(failed.body).toMatchObject({ status: 'error', final: null, error: { message: 'on purpose' } })
  })

  test('an Idempotency-Key starts one run, also when sent many times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => post('/api/runs', greet, { 'idempotency-key': 'k1' })))
    expect(new Set(answers.map((answer) => answer.body['fid'])).size).toBe(1)
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1)
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(7)
    expect(await post('/api/runs', { flow: 'ask' }, { 'idempotency-key': 'k1' })).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } })
  })

  test('50 in flight all end', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => post('/api/runs', greet, { prefer: 'wait=60' })))
    expect(answers.map((answer) => answer.body['status'])).toEqual(Array.from({ length: 50 }, () => 'finished'))
  })
})

describe('bad input', () => {
  test.each([
    ['an unknown flow', { flow: 'nope', inputs: {} }, 404, 'unknown_flow'],
    ['inputs that fail the schema', { flow: 'hello', inputs: { name: '', times: 99 } }, 422, 'invalid_inputs'],
    ['a body that is no object', [1, 2], 422, 'invalid_body'],
    ['no JSON', '{"flow":', 400, 'bad_json'],
    ['a body over the limit', { flow: 'hello', inputs: { name: 'x'.repeat(1_100_000) } }, 413, 'body_too_large'],
  ])('%s', async (_name, body, status, code) => {
    const answer = await post('/api/runs', body)
    expect(answer).toMatchObject({
      status,
      body: { status, code, type: `urn:koco:problem:${code}`, title: expect.any(String) as string, detail: expect.any(String) as string },
    })
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(answer.body['request_id']).toBe(answer.headers.get('x-request-id'))
    expect(JSON.stringify(answer.body)).not.toMatch(/\bat .*\.ts:\d+|node_modules/)
  })

  test('each field that fails is named', async () => {
    const { body } = await post('/api/runs', { flow: 'hello', inputs: { name: '', times: 99 } })
    expect((body['errors'] as { path: string }[]).map((error) => error.path).toSorted()).toEqual(['/name', '/times'])
  })

  test('NUL and lone surrogates are made safe', async () => {
    const { body } = await post('/api/runs', '{"flow":"hello","inputs":{"name":"a\\u0000b\\ud800c"}}', { prefer: 'wait=30' })
    expect(body).toMatchObject({ status: 'finished', final: { type: 'text', value: 'Hello A\ufffdB\ufffdC' } })
  })

  test('what is no fid is refused, whatever it is', async () => {
    for (const fid of ['..%2f..%2fetc%2fpasswd', '%2e%2e%2f', 'ABCDEF0123456789ABCDEF01', '123', '..%5c..', 'a%00b', "1'or'1"]) {
      for (const path of ['', '/events', '/locks', '/locks/x']) {
        const answer = await get(`/api/runs/${fid}${path}`)
        expect(answer.status, fid + path).toBe(400)
        expect(answer.body['code'], fid + path).toBe('bad_address')
      }
    }
    expect(await get(`/api/runs/${'0'.repeat(24)}`)).toMatchObject({ status: 404, body: { code: 'unknown_run' } })
  })

  test('unknown routes, cursors and filters', async () => {
    expect(await get('/api/nothing')).toMatchObject({ status: 404, body: { code: 'unknown_route' } })
    expect(await get('/api/runs?after=banana')).toMatchObject({ status: 400, body: { code: 'bad_cursor' } })
    expect(await get('/api/flows?after=banana')).toMatchObject({ status: 400, body: { code: 'bad_cursor' } })
    expect(await get('/api/locks?after=banana')).toMatchObject({ status: 400, body: { code: 'bad_cursor' } })
    expect(await get('/api/runs?status=sleeping')).toMatchObject({ status: 400, body: { code: 'bad_query' } })
    expect(await get('/api/runs?limit=100000')).toMatchObject({ status: 400, body: { code: 'bad_query' } })
  })
})

describe('reading', () => {
  test('lists page by page, newest first, with filters', async () => {
    const fids: string[] = []
    for (let n = 0; n < 5; n++) fids.push((await post('/api/runs', greet, { prefer: 'wait=30' })).body['fid'] as string)
    await post('/api/runs', { flow: 'fail' }, { prefer: 'wait=30' })
    const seen: string[] = []
    for (let after = ''; ;) {
      const { body } = await get(`/api/runs?flow=hello&limit=2${after}`)
      seen.push(...(body['items'] as { fid: string }[]).map((run) => run.fid))
      if (body['next'] === null) break
      after = `&after=${encodeURIComponent(body['next'] as string)}`
    }
    expect(seen.toSorted()).toEqual(fids.toSorted())
    const failed = await get('/api/runs?status=error,cancelled')
    expect((failed.body['items'] as { flow: string }[]).map((run) => run.flow)).toEqual(['fail'])
    expect((await get('/api/runs?q=hello%20ann')).body['items']).toHaveLength(5)
  })

  test('a run has its inputs, locks and result; its events page by page and by kind', async () => {
    const { fid } = (await post('/api/runs', greet, { prefer: 'wait=30' })).body
    const run = await get(`/api/runs/${String(fid)}`)
    expect(run.body).toMatchObject({ inputs: { name: 'Ann', times: 2 }, archived: false, launcher: 'direct', wanted: null, locks: [] })
    const seen: { position: string; kind: string }[] = []
    for (let after = ''; ;) {
      const { body } = await get(`/api/runs/${String(fid)}/events?limit=3${after}`)
      seen.push(...(body['items'] as typeof seen))
      if (body['next'] === null) break
      after = `&after=${body['next'] as string}`
    }
    expect(seen).toHaveLength(run.body['events'] as number)
    expect(seen.at(-1)).toMatchObject({ position: run.body['last_position'], kind: 'status' })
    for (const event of seen) expect((await get(`/api/runs/${String(fid)}/events/${event.position}`)).body).toEqual(event)
    const [first = ''] = seen.map(({ position }) => position)
    for (const wrong of ['0-0', 'x', first.replace(/\d+$/, '0'), first.replace(/\d+$/, '999')])
      expect(await get(`/api/runs/${String(fid)}/events/${wrong}`)).toMatchObject({ status: 404, body: { code: 'unknown_event' } })
    const finals = await get(`/api/runs/${String(fid)}/events?kind=final,meta`)
    expect((finals.body['items'] as typeof seen).map((event) => event.kind)).toEqual(['meta', 'final'])
  })

  test('the catalogue is searched, filtered and paged', async () => {
    const names = async (query: string): Promise<string[]> => ((await get(`/api/flows${query}`)).body['items'] as { name: string }[]).map((flow) => flow.name)
    const all = TEST_FLOWS.map((flow) => flow.name).toSorted()
    expect(await names('')).toEqual(all)
    expect(await names('?tag=short')).toEqual(['hello'])
    expect(await names('?q=asks%20before')).toEqual(['ask'])
    const page = await get('/api/flows?limit=2')
    expect(await names(`?limit=2&after=${String(page.body['next'])}`)).toEqual(all.slice(2, 4))
    expect((await get('/api/flows/hello')).body).toMatchObject({
      name: 'hello',
      live: true,
      author: 'Ann',
      inputs: { type: 'object', properties: { name: { type: 'string' } } },
    })
    expect(await get('/api/flows/nope')).toMatchObject({ status: 404, body: { code: 'unknown_flow' } })
  })

  test('the list stream tells of the changes that the caller may see', async () => {
    const other = await at.user('user')
    const stream = await openSse(`${at.url}/api/runs`, me.headers)
    await stream.first((frame) => frame.event === 'ready')
    await at.launcher.start({ flow: 'hello', inputs: { name: 'Eve' }, user: other.name, idempotencyKey: null })
    const { fid } = (await post('/api/runs', greet)).body
    const done = await stream.first((frame) => frame.event === 'run' && frame.data.includes('"finished"'))
    expect(JSON.parse(done.data)).toMatchObject({ fid, flow: 'hello', final: null })
    expect(stream.frames.filter((frame) => frame.event === 'run').every((frame) => frame.data.includes(me.name))).toBe(true)
    stream.close()
  })
})

describe('asking something of a run', () => {
  test('a lock is in the inbox, answered once, and the run goes on', async () => {
    const { fid, lid } = await at.asking(me.name)
    const path = `/api/runs/${fid}/locks/${encodeURIComponent(lid)}`
    expect((await get('/api/locks')).body['items']).toMatchObject([{ fid, lid, status: 'open', flow: 'ask', user: me.name }])
    expect((await get(path)).body).toMatchObject({ name: 'approve', data: { what: 'the plan' }, answer: null })
    expect(await post(path, {})).toMatchObject({ status: 422, body: { code: 'invalid_body' } })
    const wrong = await post(path, { answer: { go: 'maybe' } })
    expect(wrong).toMatchObject({ status: 422, body: { code: 'invalid_answer', errors: [{ path: '/go' }] } })
    const stream = await openSse(`${at.url}/api/runs/${fid}/events`, me.headers)
    expect(await post(path, { answer: { go: true } })).toMatchObject({ status: 200, body: { outcome: 'accepted' } })
    const operator = await at.user('operator')
    const late = await call(at.url + path, 'POST', operator.headers, { answer: { go: false } })
    expect(late).toMatchObject({ status: 409, body: { code: 'lock_answered', detail: expect.stringContaining(me.name) as string } })
    await stream.ended
    expect((await get(`/api/runs/${fid}`)).body).toMatchObject({
      status: 'finished',
      final: { value: { answered: { go: true } } },
      locks: [{ lid, status: 'answered', answered_by: me.name }],
    })
    expect(await post(`/api/runs/${fid}/locks/nope`, { answer: 1 })).toMatchObject({ status: 404, body: { code: 'unknown_lock' } })
  })

  test('cancel ends it and may be repeated; then it can be archived and restored', async () => {
    const { fid } = await at.asking(me.name)
    expect(await call(`${at.url}/api/runs/${fid}`, 'DELETE', me.headers)).toMatchObject({ status: 409, body: { code: 'run_not_over' } })
    const stream = await openSse(`${at.url}/api/runs/${fid}/events`, me.headers)
    expect(await post(`/api/runs/${fid}/cancel`, { reason: 'enough' })).toMatchObject({ status: 202, body: { fid, outcome: 'accepted' } })
    await stream.ended
    expect((await get(`/api/runs/${fid}`)).body).toMatchObject({ status: 'cancelled' })
    expect((await post(`/api/runs/${fid}/cancel`, {})).status).toBe(202)
    expect(await post(`/api/runs/${fid}/pause`, {})).toMatchObject({ status: 409, body: { code: 'run_over' } })
    expect((await call(`${at.url}/api/runs/${fid}`, 'DELETE', me.headers)).status).toBe(204)
    expect((await get('/api/runs')).body['items']).toEqual([])
    expect((await get('/api/runs?archived=true')).body['items']).toHaveLength(1)
    expect((await call(`${at.url}/api/runs/${fid}/restore`, 'POST', me.headers)).status).toBe(204)
    expect((await get('/api/runs')).body['items']).toHaveLength(1)
  })

  test('a retry starts an ended run again, under the same fid', async () => {
    const { fid, attempt } = (await post('/api/runs', { flow: 'fail' }, { prefer: 'wait=30' })).body
    expect(attempt).toBe(1)
    expect(await post(`/api/runs/${String(fid)}/retry`, {})).toMatchObject({ status: 202 })
    await expect.poll(async () => (await get(`/api/runs/${String(fid)}`)).body, { timeout: 25_000 }).toMatchObject({ attempt: 2, status: 'error' })
    const { fid: live } = await at.asking(me.name)
    expect(await post(`/api/runs/${live}/retry`, {})).toMatchObject({ status: 409, body: { code: 'run_not_over' } })
  })
})

describe('dead events', () => {
  test('are listed, retried once they fit, discarded', async () => {
    const operator = await at.user('operator')
    const ask = (method: string, path: string): Promise<Answer> => call(at.url + path, method, operator.headers)
    const run = await at.run(me.name)
    const last = await run.begin()
    const [epoch = 0, seq = 0] = last.split('-').map(Number)
    const record = { epoch, seq: seq + 1, ts: 1, kind: 'stdout', step: null, data: '{"text":"late"}' }
    const bury = (position: string, body: string): Promise<void> => at.store.dead.add({ fid: run.fid, position, reason: 'poison: test', body, at: 1 })
    await bury(formatPosition(record), JSON.stringify(record))
    await bury(`${epoch}-900`, 'not JSON')
    await bury(`${epoch}-901`, JSON.stringify({ ...record, seq: 1000 }))
    await bury(`${epoch}-1`, JSON.stringify({ ...record, seq: 1, kind: 'attempt', data: '{"prev":"0-0","other":1}' }))
    const items = (await ask('GET', `/api/dead?fid=${run.fid}`)).body['items'] as { id: number; position: string }[]
    expect(items).toHaveLength(4)
    const idOf = (position: string): string => String(items.find((item) => item.position === position)?.id)
    const stream = await openSse(`${at.url}/api/runs/${run.fid}/events?after=${last}`, me.headers)
    expect(await ask('POST', `/api/dead/${idOf(formatPosition(record))}/retry`)).toMatchObject({ status: 200, body: { outcome: 'stored' } })
    await stream.first((frame) => frame.data.includes('late'))
    stream.close()
    expect(await ask('POST', `/api/dead/${idOf(`${epoch}-900`)}/retry`)).toMatchObject({ status: 422, body: { code: 'not_an_event' } })
    expect(await ask('POST', `/api/dead/${idOf(`${epoch}-901`)}/retry`)).toMatchObject({ status: 422, body: { code: 'not_an_event' } })
    expect(await ask('POST', `/api/dead/${idOf(`${epoch}-1`)}/retry`)).toMatchObject({ status: 409, body: { code: 'position_taken' } })
    expect((await ask('DELETE', `/api/dead/${idOf(`${epoch}-900`)}`)).status).toBe(204)
    expect((await ask('GET', `/api/dead?fid=${run.fid}`)).body['items']).toHaveLength(2)
  })

  test('a discarded one leaves a note in its place, so that the events behind it can be read', async () => {
    const operator = await at.user('operator')
    const run = await at.run(me.name)
    const [epoch = 0, seq = 0] = (await run.begin()).split('-').map(Number)
    const behind = { epoch, seq: seq + 2, ts: 1, kind: 'stdout', step: null, data: '{"text":"behind"}' }
    await at.store.writer.write([{ fid: run.fid, records: [behind] }])
    await at.store.dead.add({ fid: run.fid, position: `${epoch}-${seq + 1}`, reason: 'poison: test', body: 'not JSON', at: 1 })
    const shown = async (): Promise<string> => JSON.stringify((await get(`/api/runs/${run.fid}/events`)).body['items'])
    expect(await shown()).not.toContain('behind')
    const [entry] = (await call(`${at.url}/api/dead?fid=${run.fid}`, 'GET', operator.headers)).body['items'] as { id: number }[]
    expect((await call(`${at.url}/api/dead/${entry?.id}`, 'DELETE', operator.headers)).status).toBe(204)
    expect(await shown()).toMatch(/could not be stored.*behind/)
  })
})
