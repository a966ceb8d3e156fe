/*
 * Goal: a turn is a run that holds its session, however it begins and ends; what it said gets into the transcript once; what is said meanwhile waits or is heard.
 * Method: a real panel, real runs, and a real local HTTP server as the model, which holds its answers where a test needs a turn in its middle.
 */
import { randomBytes } from 'node:crypto'
import { newFid } from '@koco/core'
import { OpenAiServer, type Scripted } from '@koco/flow/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { call, type Answer } from '../testing/call.ts'
import { openSse } from '../testing/sse-client.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

let at: TestPanel
let me: Awaited<ReturnType<TestPanel['user']>>
let model: OpenAiServer

beforeAll(async () => {
  at = await openTestPanel({ settings: { lookAgainMs: 200 } })
})
afterAll(async () => {
  await at.close()
  await closeTestParts()
})
beforeEach(async () => {
  me = await at.user('user')
  model = new OpenAiServer(() => [])
  vi.stubEnv('KODO_LLM_URL', `http://${await model.listen()}/v1`)
  vi.stubEnv('KODO_LLM_MODEL', 'tiny')
})
afterEach(async () => {
  await model.close()
  vi.unstubAllEnvs()
})

type Message = { readonly id: string; readonly role: string; readonly content: unknown; readonly [field: string]: unknown }
const post = (path: string, body: object): Promise<Answer> => call(`${at.url}/api/${path}`, 'POST', me.headers, body)
const get = (path: string): Promise<Answer> => call(`${at.url}/api/${path}`, 'GET', me.headers)
const newSession = async (body: object = {}): Promise<string> => ((await post('session/new', body)).body['session'] as { session_id: string }).session_id
const messagesOf = async (id: string): Promise<Message[]> => ((await get(`session?session_id=${id}`)).body['session'] as { messages: Message[] }).messages
const contents = async (id: string): Promise<unknown[]> => (await messagesOf(id)).map(({ content }) => content)
const status = async (id: string) => (await get(`session/status?session_id=${id}`)).body

/** Says something; gives the stream id. */
async function say(id: string, message: unknown, ...script: Scripted[]): Promise<string> {
  model.script(...script)
  const answer = await post('chat/start', { session_id: id, message })
  expect(answer.body).toMatchObject({ ok: true, session_id: id })
  return String(answer.body['stream_id'])
}

/** Reads a stream to its end. */
async function over(fid: string) {
  const client = await openSse(`${at.url}/api/chat/stream?stream_id=${fid}`, me.headers)
  await client.ended
  return client
}

/** Waits until the session is at rest: no turn, nothing waits. */
async function rest(id: string): Promise<void> {
  await vi.waitUntil(
    async () => {
      const session = await at.store.sessions.get(id)
      return session?.turn === null && session.queued === 0
    },
    { timeout: 25_000, interval: 20 },
  )
}

describe('a turn', () => {
  test('answers, names the session, and is counted', async () => {
    const id = await newSession()
    const fid = await say(id, 'What is the capital of Portugal?', { reasoning: ['Hm.'], say: ['Lis', 'bon.'] })
    const client = await over(fid)
    expect(client.frames.filter(({ event }) => event === 'model')).toHaveLength(1)
    expect(client.frames.at(-1)).toMatchObject({ event: 'end' })
    const messages = await messagesOf(id)
    expect(messages).toMatchObject([
      { role: 'user', content: 'What is the capital of Portugal?' },
      { role: 'assistant', content: 'Lisbon.', reasoning: 'Hm.', model: 'tiny', turn: fid },
    ])
    expect(await status(id)).toMatchObject({
      title: 'What is the capital of Portugal?',
      message_count: 2,
      agent_running: false,
      active_stream_id: null,
      input_tokens: 100,
      output_tokens: 30,
      total_tokens: 130,
      estimated_cost: null,
    })
    await over(await say(id, 'And of Spain?', { say: ['Madrid.'] }))
    expect(await contents(id)).toEqual(['What is the capital of Portugal?', 'Lisbon.', 'And of Spain?', 'Madrid.'])
    expect(model.requests[1]?.messages.slice(1).map(({ content }) => content)).toEqual(['What is the capital of Portugal?', 'Lisbon.', 'And of Spain?'])
    expect(await status(id)).toMatchObject({ total_tokens: 260 })
  })

  test('is resumed by its position and by a count of events', async () => {
    const id = await newSession()
    const fid = await say(id, 'Hi', { say: ['Hello.'] })
    const ids = (await over(fid)).frames.flatMap((frame) => (frame.id === null ? [] : [frame.id]))
    const from = async (query: string, headers: Record<string, string> = {}) => {
      const client = await openSse(`${at.url}/api/chat/stream?stream_id=${fid}${query}`, { ...me.headers, ...headers })
      await client.ended
      return client.frames.flatMap((frame) => (frame.id === null ? [] : [frame.id]))
    }
    expect(await from(`&after_seq=${ids[2] ?? ''}`)).toEqual(ids.slice(3))
    expect(await from('&after_seq=3')).toEqual(ids.slice(3))
    expect(await from('&after_seq=3', { 'last-event-id': ids[4] ?? '' })).toEqual(ids.slice(5))
    expect((await openSse(`${at.url}/api/chat/stream?stream_id=${fid}&after_seq=${ids.at(-1) ?? ''}`, me.headers)).status).toBe(204)
  })

  test('holds its session: of four at once one begins, and nothing is taken back meanwhile', async () => {
    const id = await newSession()
    model.script({ say: ['Slow'], hold: true })
    const starts = await Promise.all([1, 2, 3, 4].map((n) => post('chat/start', { session_id: id, message: `try ${n}` })))
    expect(starts.map((one) => one.status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409])
    const fid = String(starts.find((one) => one.status === 200)?.body['stream_id'])
    for (const { body } of starts.filter((one) => one.status === 409))
      expect(body).toEqual({ error: 'session already has an active stream', active_stream_id: fid })
    await model.holding()
    expect(await status(id)).toMatchObject({ agent_running: true, active_stream_id: fid, message_count: 1 })
    const pending = async () => ((await get(`session?session_id=${id}`)).body['session'] as { pending_messages: Message[] }).pending_messages
    expect(await vi.waitUntil(async () => (await pending())[0], { timeout: 25_000, interval: 20 })).toMatchObject({ content: 'Slow', interrupted: true })
    for (const [what, more] of [
      ['retry', {}],
      ['undo', {}],
      ['truncate', { keep_count: 0 }],
      ['clear', {}],
      ['redo', {}],
    ] as const)
      expect((await post(`session/${what}`, { session_id: id, ...more })).status, what).toBe(409)
    model.release()
    await over(fid)
    expect((await contents(id)).at(-1)).toBe('Slow')
    expect((await post('session/retry', { session_id: id })).body).toMatchObject({ ok: true, removed_count: 2 })
  })

  test('that is stopped keeps what it has said: text, reasoning and tool calls', async () => {
    const id = await newSession()
    const fid = await say(id, 'Tell me', { call: [{ id: 'c1', name: 'look', input: {} }] }, { reasoning: ['Because'], say: ['It is ', 'so'], hold: true })
    await model.holding()
    expect((await post('chat/cancel', { stream_id: fid })).body).toEqual({ ok: true, cancelled: true, stream_id: fid })
    await over(fid)
    const messages = await messagesOf(id)
    expect(messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', tool_calls: [{ id: 'c1', function: { name: 'look' } }] },
      { role: 'tool', content: 'seen' },
      { role: 'assistant', content: 'It is so', reasoning: 'Because', interrupted: true, end: 'cancelled' },
    ])
    expect((await get(`session?session_id=${id}`)).body).toMatchObject({ session: { tool_calls: [{ id: 'c1', name: 'look', output: 'seen', done: true }] } })
    expect((await get(`chat/cancel?stream_id=${fid}`)).body).toMatchObject({ cancelled: false })
    await over(await say(id, 'Go on', { say: ['As I said.'] }))
    expect(
      model.requests
        .at(-1)
        ?.messages.slice(1)
        .map(({ role, content }) => [role, content]),
    ).toEqual([
      ['user', 'Tell me'],
      ['assistant', null],
      ['tool', 'seen'],
      ['assistant', 'It is so'],
      ['user', 'Go on'],
    ])
  })

  test('waits for a person where a tool needs leave', async () => {
    const id = await newSession()
    const fid = await say(id, 'Deploy', { call: [{ id: 'c1', name: 'deploy', input: { to: 'prod' } }] }, { say: ['Done.'] })
    const lid = await vi.waitUntil(async () => (await at.store.locks.list({ fid, limit: 1 })).items[0]?.lid, { timeout: 25_000, interval: 20 })
    expect(await status(id)).toMatchObject({ agent_running: true })
    expect((await post(`runs/${fid}/locks/${lid}`, { answer: { approve: true } })).status).toBe(200)
    await over(fid)
    expect(await contents(id)).toEqual(['Deploy', '', 'deployed to prod', 'Done.'])
  })

  test('that fails says why, and lets its session go', async () => {
    const id = await newSession()
    await over(await say(id, 'Hi', { status: 401 }))
    expect((await messagesOf(id)).at(-1)).toMatchObject({
      role: 'assistant',
      content: '',
      interrupted: true,
      end: 'error',
      error: expect.stringContaining('scripted 401'),
    })
    await over(await say(id, 'Again', { say: ['Hello.'] }))
    expect((await contents(id)).at(-1)).toBe('Hello.')
  })

  test('of a flow that nobody serves is refused and leaves no trace', async () => {
    const id = await newSession({ flow: 'nowhere' })
    const answer = await post('chat/start', { session_id: id, message: 'Hi' })
    expect([answer.status, String(answer.body['error'])]).toEqual([400, expect.stringContaining('There is no flow "nowhere"')])
    expect(await status(id)).toMatchObject({ message_count: 0, agent_running: false })
  })

  test('may be answered by any flow, which returns its answer', async () => {
    const id = await newSession({ flow: 'fail' })
    await over(String((await post('chat/start', { session_id: id, message: 'Hi' })).body['stream_id']))
    expect((await messagesOf(id)).at(-1)).toMatchObject({ interrupted: true, error: 'on purpose' })
  })
})

describe('what is said meanwhile', () => {
  test('a steer reaches the running turn', async () => {
    const id = await newSession()
    const fid = await say(id, 'Go', { say: ['First.'], hold: true }, { say: ['Second.'] })
    await model.holding()
    expect((await post('chat/steer', { session_id: id, text: 'In French' })).body).toMatchObject({ ok: true, accepted: true, stream_id: fid })
    model.release()
    await over(fid)
    expect((await messagesOf(id)).map(({ content, steer }) => [content, steer ?? false])).toEqual([
      ['Go', false],
      ['First.', false],
      ['In French', true],
      ['Second.', false],
    ])
    expect(model.requests[1]?.messages.at(-1)).toEqual({ role: 'user', content: 'In French' })
  })

  test('a steer that a turn does not come to is said next, and after a stop stays in the talk', async () => {
    const id = await newSession()
    const fid = await say(id, 'Go', { say: ['First'], hold: true })
    await model.holding()
    await post('chat/steer', { session_id: id, text: 'never heard' })
    expect((await get(`chat/queue?session_id=${id}`)).body['steers']).toEqual([{ id: expect.any(String) as string, text: 'never heard' }])
    await post('chat/cancel', { stream_id: fid })
    await over(fid)
    expect(await contents(id)).toEqual(['Go', 'First', 'never heard'])
    expect((await get(`chat/queue?session_id=${id}`)).body['steers']).toEqual([])
    const next = await say(id, 'Again', { say: ['Oops'], hold: true })
    await model.holding()
    await post('chat/steer', { session_id: id, text: 'after the fall' })
    model.script({ status: 401 }, { say: ['Better.'] })
    model.cut()
    await over(next)
    await rest(id)
    expect(await contents(id)).toEqual(['Go', 'First', 'never heard', 'Again', 'Oops', 'after the fall', 'Better.'])
  })

  test('what is queued is said in order; what is taken back is not', async () => {
    const id = await newSession()
    const fid = await say(id, 'one', { say: ['1'], hold: true }, { say: ['2'] }, { say: ['3'] })
    await model.holding()
    await post('chat/queue', { session_id: id, message: 'two' })
    const { body } = await post('chat/queue', { session_id: id, message: 'never' })
    await post('chat/queue', { session_id: id, message: 'three' })
    expect(body).toMatchObject({ ok: true, stream_id: fid, queue: [{ message: { content: 'two' } }, { message: { content: 'never' } }] })
    const second = (body['queue'] as { id: string }[])[1]?.id
    expect((await post('chat/queue', { session_id: id, remove: second })).body['queue']).toHaveLength(2)
    expect((await post('chat/queue', { session_id: id, remove: second })).body).toEqual({ error: 'No such message waits.' })
    expect((await get(`chat/queue?session_id=${id}`)).body['queue']).toHaveLength(2)
    model.release()
    await rest(id)
    expect(await contents(id)).toEqual(['one', '1', 'two', '2', 'three', '3'])
    // In the list of runs, and in a search over it, each turn is what was said.
    expect((await get('runs')).body['items']).toMatchObject([{ about: 'three' }, { about: 'two' }, { about: 'one' }])
    expect((await get('runs?q=three')).body['items']).toMatchObject([{ about: 'three' }])
    expect((await get(`runs/${fid}`)).body).toMatchObject({ about: 'one', inputs: { said: 'one', session_id: id } })
  })

  test('with no turn at work, what is queued is said at once', async () => {
    const id = await newSession()
    model.script({ say: ['Now.'] })
    const { body } = await post('chat/queue', { session_id: id, message: 'Hi' })
    await over(String(body['stream_id']))
    expect(await contents(id)).toEqual(['Hi', 'Now.'])
  })
})

describe('whoever dies in between', () => {
  const fid = (): string => newFid(Date.now(), randomBytes(8))

  test('a turn that was begun and never became a run becomes one', async () => {
    const id = await newSession()
    const turn = fid()
    model.script({ say: ['Late.'] })
    const message = { id: 'm', role: 'user', content: 'Hi' }
    await at.store.sessions.change(id, { do: 'start-turn', fid: turn, kind: 'chat', message }, { at: Date.now() / 1000 - 60 })
    await rest(id)
    expect(await contents(id)).toEqual(['Hi', 'Late.'])
    expect(await at.store.runs.get(turn)).toMatchObject({ status: 'finished', inputs: { said: 'Hi', session_id: id } })
  })

  test('a run that ended while nobody looked is brought to its end once, by however many', async () => {
    const id = await newSession()
    const run = await at.run(me.name)
    const message = { id: 'm', role: 'user', content: 'Hi' }
    await at.store.sessions.change(id, { do: 'start-turn', fid: run.fid, kind: 'chat', message }, { at: Date.now() / 1000 })
    await run.begin()
    await run.emit(
      [
        ['action', { name: 'chat.partial', value: { text: 'Half a ' } }],
        ['action', { name: 'chat.partial', value: { text: 'word' } }],
        ['status', { status: 'timed_out' }],
      ],
      'quietly',
    )
    await Promise.all([1, 2, 3].map(() => status(id)))
    expect(await messagesOf(id)).toMatchObject([{ content: 'Hi' }, { content: 'Half a word', interrupted: true, end: 'timed_out' }])
    expect(await status(id)).toMatchObject({ message_count: 2, agent_running: false })
  })
})

test('a talk is made shorter by a job, which is started once', async () => {
  const messages = Array.from({ length: 6 }, (_, n) => ({ role: n % 2 === 0 ? 'user' : 'assistant', content: `${n}` }))
  const id = ((await post('session/import', { messages })).body['session'] as { session_id: string }).session_id
  expect((await get(`session/compress/status?session_id=${id}`)).body).toMatchObject({ status: 'idle', job_id: null })
  model.script({ say: ['Numbers were said.'] })
  const [first, again] = await Promise.all([1, 2].map(() => post('session/compress/start', { session_id: id, keep_count: 2 })))
  expect(first?.body).toMatchObject({ ok: true, status: 'running' })
  expect(again?.body['job_id']).toBe(first?.body['job_id'])
  await rest(id)
  expect((await get(`session/compress/status?session_id=${id}`)).body).toMatchObject({
    status: 'done',
    job_id: first?.body['job_id'],
    error: null,
    message_count: 3,
  })
  expect(await contents(id)).toEqual(['Numbers were said.', '4', '5'])
  expect(model.requests).toHaveLength(1)
  await say(id, 'Hi', { say: ['x'], hold: true })
  await model.holding()
  expect((await post('session/compress', { session_id: id })).status).toBe(409)
})

test('errors of the chat, word for word', async () => {
  const id = await newSession()
  const error = async (answer: Promise<Answer>): Promise<unknown[]> => [(await answer).status, (await answer).body]
  for (const message of [undefined, '', '  ', []])
    expect(await error(post('chat/start', { session_id: id, message }))).toEqual([400, { error: 'message is required' }])
  expect(await error(post('chat/start', {}))).toEqual([400, { error: 'Missing required field(s): session_id' }])
  expect(await error(post('chat/start', { session_id: '0123456789ab', message: 'x' }))).toEqual([404, { error: 'Session not found' }])
  expect(await error(post('chat/start', { session_id: id, message: 'x', attachments: 'y' }))).toEqual([400, { error: 'attachments must be an array' }])
  expect(await error(post('chat/start', { session_id: id, message: 'x', expected_revision: 9 }))).toEqual([
    409,
    { error: 'session has changed: it is at revision 1', revision: 1 },
  ])
  expect(await error(post('chat/steer', { session_id: id, text: 'x' }))).toEqual([409, { error: 'session has no active stream' }])
  expect(await error(post('chat/steer', { session_id: id }))).toEqual([400, { error: 'Missing required field(s): text' }])
  expect(await error(get('chat/stream'))).toEqual([400, { error: 'stream_id is required' }])
  expect(await error(get('chat/stream?stream_id=0123456789abcdef01234567'))).toEqual([404, { error: 'Stream not found' }])
  expect(await error(post('chat/cancel', { stream_id: '../x' }))).toEqual([404, { error: 'Stream not found' }])
})
