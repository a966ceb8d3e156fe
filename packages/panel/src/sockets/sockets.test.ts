/*
 * Goal: a socket opens only for who may, and no more than allowed; it says everything exactly once and in order, whoever began a turn, over every reconnect; what is wrong is told and does no harm.
 * Method: real sockets against listening panels over one store, with real turns and a model server that holds its answers where a test needs it.
 */
import { connect } from 'node:net'
import { OpenAiServer } from '@koco/flow/testing'
import { UnavailableError } from '@koco/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { SocketClient, type ClientFrame, type Refused } from '../testing/socket-client.ts'
import { closeTestParts, openTestPanel, type TestPanel, type TestPanelOptions } from '../testing/test-panel.ts'

let at: TestPanel
let me: Awaited<ReturnType<TestPanel['user']>>
let model: OpenAiServer
const opened: SocketClient[] = []
const panels: TestPanel[] = []

async function open(options: TestPanelOptions = {}): Promise<TestPanel> {
  const panel = await openTestPanel({ ...options, settings: { lookAgainMs: 300, ...options.settings } })
  panels.push(panel)
  return panel
}

beforeAll(async () => {
  model = new OpenAiServer(() => [])
  vi.stubEnv('KODO_LLM_URL', `http://${await model.listen()}/v1`)
  vi.stubEnv('KODO_LLM_MODEL', 'tiny')
})
beforeEach(async () => {
  at = await open()
  me = await at.user('user')
})
afterEach(async () => {
  for (const { socket } of opened.splice(0)) socket.terminate()
  for (const panel of panels.splice(0)) await panel.close()
})
afterAll(async () => {
  await model.close()
  vi.unstubAllEnvs()
  await closeTestParts()
})

async function dial(headers: Record<string, string> = me.headers, path = '/ws', url = at.url): Promise<SocketClient> {
  const client = await SocketClient.open(url, headers, path)
  opened.push(client)
  return client
}
const refusal = (headers: Record<string, string>, path = '/ws', url = at.url): Promise<unknown> => SocketClient.dial(url, headers, path)
const post = async (path: string, body: object = {}, headers: Record<string, string> = me.headers): Promise<Record<string, unknown>> => {
  const answer = await fetch(at.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
  return (await answer.json()) as Record<string, unknown>
}
const counted = (name = me.name): Promise<number> => at.leases.count(`ws:${name}`)
const isFree = (): Promise<unknown> => vi.waitFor(async () => expect(await counted()).toBe(0), { timeout: 25_000 })

/** The text of the message that is being written, as a client that goes by the rule of SOCKETS.md shows it. */
function textShown(frames: readonly ClientFrame[]): string {
  let text = ''
  for (const { type, content, data } of frames) {
    if (type !== 'agent_response') continue
    const { kind, offset } = data as { kind: string; offset: number }
    if (kind === 'chunk' || (kind === 'delta' && offset <= text.length)) text = text.slice(0, offset) + content
    else if (kind === 'restart') text = content.slice(offset)
    else if (kind === 'message') text = ''
  }
  return text
}

describe('before the upgrade', () => {
  test('origin, token, stores and count are checked, in this order, each with its status', async () => {
    const evil = { origin: 'https://evil.example' }
    const bad = { authorization: 'Bearer nonsense' }
    const away = await open({ checkTransport: () => Promise.reject(new UnavailableError('away', { code: 'redis_unavailable' })) })
    const stranger = (await away.user('user')).headers
    // Everything is wrong at once: what comes first is told.
    expect(await refusal({ ...evil, ...bad }, '/ws', away.url)).toEqual({ status: 403, code: 'wrong_origin' })
    expect(await refusal(bad, '/ws', away.url)).toEqual({ status: 401, code: 'not_signed_in' })
    expect(await refusal({}, '/ws', away.url)).toEqual({ status: 401, code: 'not_signed_in' })
    expect(await refusal(stranger, '/ws', away.url)).toEqual({ status: 503, code: 'not_ready' })
    for (let n = 0; n < 3; n++) await dial()
    expect(await refusal(me.headers)).toEqual({ status: 429, code: 'too_many_connections' })
    expect(await refusal({ ...evil, ...me.headers })).toEqual({ status: 403, code: 'wrong_origin' })
    expect(await refusal({ ...me.headers, origin: `${at.url}.evil.example` })).toEqual({ status: 403, code: 'wrong_origin' })
    expect(await refusal({}, '/ws?ticket=kocot_nonsense')).toEqual({ status: 401, code: 'not_signed_in' })
    expect(await refusal(me.headers, '/other')).toEqual({ status: 404, code: 'unknown_route' })
  })

  test('the panel’s own pages and listed origins may connect', async () => {
    const own = await dial({ ...me.headers, origin: at.url })
    expect((await own.next('auth_success')).content).toBe(me.name)
    const listed = await open({ settings: { corsOrigins: ['https://tools.example.com'] } })
    await dial({ ...(await listed.user('user')).headers, origin: 'https://tools.example.com' }, '/ws', listed.url)
  })

  test('a ticket opens one socket, within 30 s, while what its holder signed in by still stands', async () => {
    const { ticket, expires_in: seconds, path } = (await post('/api/auth/ticket')) as { ticket: string; expires_in: number; path: string }
    expect([path, seconds]).toEqual([`/ws?ticket=${ticket}`, 30])
    const client = await dial({}, path)
    expect((await client.next('auth_success')).data).toMatchObject({ user: me.name, connections_max: 3 })
    expect(await refusal({}, path)).toEqual({ status: 401, code: 'not_signed_in' })
    const dials = (await post('/api/auth/ticket')) as { path: string }
    const raced = await Promise.all([1, 2, 3, 4].map(() => SocketClient.dial(at.url, {}, dials.path)))
    const won = raced.filter((one) => one instanceof SocketClient)
    opened.push(...won)
    expect(won).toHaveLength(1)
    const { access_token: token } = (await post('/api/auth/token', { grant_type: 'session' })) as { access_token: string }
    const late = (await post('/api/auth/ticket', {}, { authorization: `Bearer ${token}` })) as { path: string }
    await post('/auth/revoke', { token })
    expect(await refusal({}, late.path)).toEqual({ status: 401, code: 'not_signed_in' })
  })

  test('a ticket is over after 30 s', async () => {
    let nowMs = Date.now()
    const panel = await open({ clock: () => nowMs })
    const { headers } = await panel.user('user')
    const ticket = async (): Promise<string> =>
      ((await (await fetch(`${panel.url}/api/auth/ticket`, { method: 'POST', headers })).json()) as { path: string }).path
    const [first, second] = [await ticket(), await ticket()]
    nowMs += 29_000
    await dial({}, first, panel.url)
    nowMs += 1_500
    expect(await refusal({}, second, panel.url)).toEqual({ status: 401, code: 'not_signed_in' })
  })

  test('a viewer may look, an access token is as good as a key', async () => {
    const viewer = await at.user('viewer')
    const client = await dial(viewer.headers)
    client.send('create_session')
    expect((await client.next('error')).data).toMatchObject({ code: 'not_allowed' })
    const { access_token: token } = (await post('/api/auth/token', { grant_type: 'session' })) as { access_token: string }
    expect((await (await dial({ authorization: `Bearer ${token}` })).next('auth_success')).data).toMatchObject({ user: me.name })
  })
})

describe('auth as the first message', () => {
  test('signs in; before it nothing else is done, and only then the connection counts', async () => {
    const client = await dial({}, '/ws?auth=first')
    client.send('ping')
    expect((await client.next('error')).data).toMatchObject({ code: 'not_signed_in' })
    expect(await counted()).toBe(0)
    client.send('auth', { token: me.headers.authorization.replace('Bearer ', ''), request_id: 'a1' })
    expect((await client.next('auth_success')).data).toMatchObject({ user: me.name, role: 'user' })
    expect(await counted()).toBe(1)
    client.send('ping', { request_id: 'p1' })
    expect((await client.next('session_status')).data).toMatchObject({ status: 'pong', reply_to: 'p1' })
  })

  test('a wrong token is told and closed with 4401, one too many with 4429, silence after the time with 4408', async () => {
    const wrong = await dial({}, '/ws?auth=first')
    wrong.send('auth', { token: 'nonsense' })
    expect((await wrong.next('error')).data).toMatchObject({ code: 'not_signed_in' })
    expect(await wrong.closed).toBe(4401)
    for (let n = 0; n < 3; n++) await dial()
    const fourth = await dial({}, '/ws?auth=first')
    fourth.send('auth', {}, me.headers.authorization.replace('Bearer ', ''))
    expect((await fourth.next('error')).data).toMatchObject({ code: 'too_many_connections' })
    expect(await fourth.closed).toBe(4429)
    const hasty = await open({ settings: { authFirstMs: 100 } })
    expect(await (await dial({}, '/ws?auth=first', hasty.url)).closed).toBe(4408)
  })

  test('who sends much before it is cut', async () => {
    const client = await dial({}, '/ws?auth=first')
    client.send('auth', { token: 'x'.repeat(64 * 1024) })
    expect(await client.closed).toBe(1006)
  })
})

describe('counting', () => {
  test('of many who dial at once, over two panels, no more get in than allowed; whoever leaves makes room', async () => {
    const other = await open({ admin: at.admin })
    const dialled = await Promise.all(Array.from({ length: 24 }, (_, n) => SocketClient.dial(n % 2 === 0 ? at.url : other.url, me.headers)))
    const inside = dialled.filter((one) => one instanceof SocketClient)
    opened.push(...inside)
    expect(inside).toHaveLength(3)
    expect(dialled.filter((one): one is Refused => !(one instanceof SocketClient)).every(({ status }) => status === 429)).toBe(true)
    await inside[0]?.close()
    await vi.waitFor(async () => expect(await counted()).toBe(2), { timeout: 25_000 })
    await dial(me.headers, '/ws', other.url)
    expect(await counted()).toBe(3)
    await other.close()
    expect(await counted()).toBe(inside.filter(({ socket }) => socket.readyState === socket.OPEN && socket.url.includes(new URL(at.url).host)).length)
  })

  test('who leaves before they are let in leaves nothing behind', async () => {
    const { port } = new URL(at.url)
    const lines = [
      'GET /ws HTTP/1.1',
      'Host: x',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ]
    for (let n = 0; n < 20; n++) {
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(`${[...lines, `Authorization: ${me.headers.authorization}`].join('\r\n')}\r\n\r\n`, () => socket.destroy())
    }
    // Some of them may still be on their way: while they are let in and found gone, they count.
    await vi.waitFor(() => dial(), { timeout: 25_000 })
    await vi.waitFor(async () => expect(await counted()).toBe(1), { timeout: 25_000 })
  })

  test('a bad handshake of somebody who may connect counts nothing', async () => {
    const answer = await fetch(`${at.url}/ws`, { headers: me.headers })
    expect(answer.status).toBe(503)
    const { port } = new URL(at.url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nAuthorization: ${me.headers.authorization}\r\n\r\n`)
    const told = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())))
    expect(told).toMatch(/^HTTP\/1.1 400/)
    await isFree()
  })
})

describe('messages', () => {
  test('every frame has the envelope and a position; broken JSON, unknown types and bad envelopes are told and the connection stays', async () => {
    const client = await dial()
    await client.next('auth_success')
    for (const [text, code] of [
      ['{', 'bad_json'],
      ['"text"', 'bad_envelope'],
      ['[]', 'bad_envelope'],
      ['null', 'bad_envelope'],
      ['{"content":"x"}', 'bad_envelope'],
      ['{"type":"ping","content":7}', 'bad_envelope'],
      ['{"type":"ping","data":[]}', 'bad_envelope'],
      ['{"type":"dance","data":{"request_id":"r"}}', 'unknown_type'],
      ['{"type":"__proto__"}', 'unknown_type'],
    ] as const) {
      client.socket.send(text)
      expect((await client.next('error')).data, text).toMatchObject({ code, message: expect.any(String) as string })
    }
    client.socket.send(Buffer.from([1, 2, 3]))
    expect((await client.next('error')).data).toMatchObject({ code: 'bad_json' })
    client.send('ping')
    await client.next('session_status')
    for (const frame of client.frames) {
      expect(Object.keys(frame)).toEqual(['type', 'content', 'timestamp', 'data'])
      expect(frame.data).toHaveProperty('position')
    }
    expect(client.frames.find(({ data }) => data['code'] === 'unknown_type')?.data).toMatchObject({ reply_to: 'r' })
  })

  test('a payload above the cap ends the connection with 1009, and it counts no more', async () => {
    const client = await dial()
    client.socket.on('error', () => undefined)
    client.send('file_upload', { path: 'large' }, 'A'.repeat(15 * 1024 * 1024))
    expect(await client.closed).toBe(1009)
    await isFree()
  })

  test('a session is made, files go into its workspace within its limits and are listed', async () => {
    const client = await dial()
    client.send('create_session', { title: 'Trip', request_id: 'c' })
    const made = (await client.next('session_created')).data
    expect(made).toMatchObject({ reply_to: 'c', session: { title: 'Trip', message_count: 0 } })
    client.send('file_upload', { path: 'src/run.sh', encoding: 'utf8' }, '#!/bin/sh\necho hi\n')
    expect((await client.next('file_uploaded')).data).toMatchObject({ path: 'src/run.sh', size: 18, session_id: made['session_id'] })
    client.send('file_upload', { filename: 'a.bin', content: Buffer.from([0, 255, 7]).toString('base64') })
    expect((await client.next('file_uploaded')).data).toMatchObject({ path: 'a.bin', size: 3 })
    for (const [path, code] of [
      ['../x', 'bad_path'],
      ['/etc/passwd', 'bad_path'],
      ['.env', 'bad_path'],
      ['', 'bad_path'],
      ['a\0b', 'bad_path'],
    ] as const) {
      client.send('file_upload', { path, encoding: 'utf8' }, 'x')
      expect((await client.next('error')).data, path).toMatchObject({ code })
    }
    client.send('file_upload', { path: 'x' }, 'not base64!')
    expect((await client.next('error')).data).toMatchObject({ code: 'bad_request' })
    client.send('file_upload', { path: 'large', encoding: 'utf8' }, 'x'.repeat(10 * 1024 * 1024 + 1))
    expect((await client.next('error')).data).toMatchObject({ code: 'file_too_large' })
    client.send('file_list')
    expect((await client.next('file_list')).data['files']).toMatchObject([{ path: 'a.bin' }, { path: 'src/run.sh' }])
    client.send('workspace_info')
    expect((await client.next('workspace_info')).data).toMatchObject({ files: 2, bytes: 21, limits: { bytes_max: 100 * 1024 * 1024 } })
  })

  test('a session of somebody else is unknown; without one that is said', async () => {
    const stranger = await at.user('user')
    const theirs = (await post('/api/session/new', {}, stranger.headers))['session'] as { session_id: string }
    const client = await dial()
    client.send('file_list')
    expect((await client.next('error')).data).toMatchObject({ code: 'bad_request' })
    for (const type of ['file_list', 'workspace_info', 'chat_message', 'session_control', 'file_upload']) {
      client.send(type, { session_id: theirs.session_id, action: 'attach', path: 'x', message: 'hi' })
      expect((await client.next('error')).data, type).toMatchObject({ code: 'unknown_session' })
    }
  })

  test('many messages at once are answered one after the other', async () => {
    const client = await dial()
    for (let n = 0; n < 200; n++) client.send('ping', { request_id: String(n) })
    for (let n = 0; n < 200; n++) expect((await client.next('session_status')).data).toMatchObject({ reply_to: String(n) })
  })
})

describe('turns', () => {
  const kinds = (client: SocketClient): unknown[] => client.frames.filter(({ type }) => type === 'agent_response').map(({ data }) => data['kind'])
  const positions = (frames: readonly ClientFrame[]): string[] =>
    frames.filter(({ type }) => type === 'agent_response').map(({ data }) => String(data['position']))
  async function newSession(client: SocketClient): Promise<string> {
    client.send('create_session')
    return String((await client.next('session_created')).data['session_id'])
  }

  test('a message begins a turn whose answer comes in chunks, counted, then whole', async () => {
    const client = await dial()
    const id = await newSession(client)
    model.script({ reasoning: ['Hm.'], say: ['Lis', 'bon.'] })
    client.send('chat_message', { request_id: 'm' }, 'What is the capital of Portugal?')
    const accepted = (await client.next('session_status', ({ data }) => data['status'] === 'accepted')).data
    expect(accepted).toMatchObject({ session_id: id, reply_to: 'm', stream_id: expect.stringMatching(/^[0-9a-f]{24}$/) as string })
    const end = await client.end()
    expect(end).toMatchObject({ content: 'Lisbon.', data: { kind: 'end', status: 'finished', turn_id: accepted['stream_id'], session_id: id } })
    const answers = client.frames.filter(({ type }) => type === 'agent_response')
    expect(answers.map(({ data }) => data['chunk_index'])).toEqual(answers.map((_, index) => index))
    expect(answers.find(({ data }) => data['kind'] === 'message')?.data['message']).toMatchObject({ role: 'assistant', content: 'Lisbon.', reasoning: 'Hm.' })
    const running = client.frames.find(({ data }) => data['status'] === 'running' && data['message'])
    expect(running?.data['message']).toMatchObject({ role: 'user', content: 'What is the capital of Portugal?' })
    // The transcript has it when the end was told and one asks.
    const stored = (await (await fetch(`${at.url}/api/session?session_id=${id}`, { headers: me.headers })).json()) as { session: { messages: object[] } }
    expect(stored.session.messages).toHaveLength(2)
  })

  test('who wants it has each word before it is stored; put where they belong, previews and chunks make the same text', async () => {
    const [plain, live] = [await dial(), await dial(me.headers, '/ws?live=1')]
    const id = await newSession(live)
    plain.send('session_control', { action: 'attach', session_id: id })
    await plain.next('session_status')
    model.script({ call: [{ id: 'c1', name: 'look', input: {} }] }, { say: ['Lis', 'bon, ', 'of course.'], hold: true })
    live.send('chat_message', {}, 'Capital of Portugal?')
    await model.holding()
    const isDelta = ({ data }: ClientFrame): boolean => data['kind'] === 'delta'
    const first = await live.next('agent_response', isDelta)
    expect(first.data).toMatchObject({ chunk_index: null, is_complete: false, offset: 0 })
    // Everything that the model said is shown while nothing of its message is whole.
    await vi.waitFor(() => expect(textShown(live.frames)).toBe('Lisbon, of course.'), { timeout: 25_000 })
    model.release()
    await Promise.all([live.end(), plain.end()])
    const stored = live.frames.filter((frame) => frame.type === 'agent_response' && !isDelta(frame))
    expect(plain.frames.some(isDelta)).toBe(false)
    expect(stored.map(({ data }) => data)).toEqual(plain.frames.filter(({ type }) => type === 'agent_response').map(({ data }) => data))
    const known = new Set(stored.map(({ data }) => data['position']))
    const deltas = live.frames.filter(isDelta)
    for (const { data } of deltas.slice(1)) expect(known.has(data['position']) || deltas[0]?.data['position'] === data['position']).toBe(true)
  })

  test('who comes back in the middle of an answer has what is stored, exactly, and then each word again', async () => {
    const one = await dial(me.headers, '/ws?live=1')
    const id = await newSession(one)
    model.script({ say: ['Half of ', 'it'], hold: true })
    one.send('chat_message', {}, 'long')
    await model.holding()
    await vi.waitFor(() => expect(textShown(one.frames)).toBe('Half of it'), { timeout: 25_000 })
    const { position } = one.frames.findLast(({ type }) => type === 'agent_response')?.data ?? {}
    await one.close()
    const again = await dial()
    again.send('session_control', { action: 'attach', session_id: id, position, live: true })
    expect((await again.next('session_status')).data).toMatchObject({ reset: false })
    await vi.waitFor(() => expect(textShown([...one.frames, ...again.frames])).toBe('Half of it'), { timeout: 25_000 })
    model.release()
    expect((await again.end()).content).toBe('Half of it')
    const stored = [...one.frames, ...again.frames].filter(({ type, data }) => type === 'agent_response' && data['kind'] !== 'delta')
    expect(stored.map(({ data }) => data['chunk_index'])).toEqual(stored.map((_, index) => index))
  })

  test('while one runs another is refused with its stream; it can be cancelled, keeping what was said', async () => {
    const client = await dial()
    await newSession(client)
    model.script({ say: ['Half'], hold: true })
    client.send('chat_message', {}, 'long')
    await client.next('session_status', ({ data }) => data['status'] === 'accepted')
    await model.holding()
    client.send('chat_message', {}, 'again')
    expect((await client.next('error')).data).toMatchObject({ code: 'busy', active_stream_id: expect.any(String) as string })
    client.send('session_control', { action: 'cancel' })
    expect((await client.next('session_status', ({ data }) => 'cancelled' in data)).data).toMatchObject({ cancelled: true })
    expect(await client.end()).toMatchObject({ content: 'Half', data: { status: 'cancelled' } })
  })

  test('all connections of a session see each other’s turns, at another panel too, also those begun over HTTP', async () => {
    const other = await open({ admin: at.admin })
    const [one, two] = [await dial(), await dial(me.headers, '/ws', other.url)]
    const id = await newSession(one)
    two.send('session_control', { action: 'attach', session_id: id })
    expect((await two.next('session_status')).data).toMatchObject({ attached: true, reset: false, status: 'idle' })
    model.script({ say: ['first'] }, { say: ['second'] })
    one.send('chat_message', {}, 'hi')
    expect([(await one.end()).content, (await two.end()).content]).toEqual(['first', 'first'])
    expect((await post('/api/chat/start', { session_id: id, message: 'more' }))['ok']).toBe(true)
    expect([(await one.end()).content, (await two.end()).content]).toEqual(['second', 'second'])
    expect(positions(one.frames)).toEqual(positions(two.frames))
    expect(kinds(one)).toEqual(kinds(two))
  })

  test('after a reconnect everything behind the position comes, once and in order, over several turns', async () => {
    const watcher = await dial()
    const id = await newSession(watcher)
    model.script(...['one', 'two', 'three'].map((word) => ({ say: [word] })))
    for (const word of ['a', 'b', 'c']) {
      watcher.send('chat_message', {}, word)
      await watcher.end()
    }
    const all = watcher.frames.filter(({ type }) => type === 'agent_response')
    for (const cut of [0, 1, Math.floor(all.length / 2), all.length - 1]) {
      const client = await dial()
      client.send('session_control', { action: 'attach', session_id: id, position: all[cut]?.data['position'] })
      expect((await client.next('session_status')).data).toMatchObject({ reset: false })
      const rest = all.slice(cut + 1)
      for (const frame of rest) {
        const got = await client.next('agent_response')
        expect([got.data, got.content]).toEqual([frame.data, frame.content])
      }
      await client.close()
    }
  })

  test('a position that is no more is told; one that is none is refused', async () => {
    const client = await dial()
    const id = await newSession(client)
    client.send('session_control', { action: 'attach', session_id: id, position: '0123456789abcdef01234567/5-5' })
    expect((await client.next('session_status')).data).toMatchObject({ reset: true })
    client.send('session_control', { action: 'attach', session_id: id, position: 'yesterday' })
    expect((await client.next('error')).data).toMatchObject({ code: 'bad_request' })
    client.send('session_control', { action: 'fly' })
    expect((await client.next('error')).data).toMatchObject({ code: 'bad_request' })
  })

  test('who left a session hears no more of it', async () => {
    const [one, two] = [await dial(), await dial()]
    const id = await newSession(one)
    two.send('session_control', { action: 'attach', session_id: id })
    await two.next('session_status')
    two.send('session_control', { action: 'end' })
    expect((await two.next('session_status')).data).toMatchObject({ status: 'ended' })
    model.script({ say: ['x'] })
    one.send('chat_message', {}, 'hi')
    await one.end()
    two.send('ping')
    expect((await two.next('session_status')).data).toMatchObject({ status: 'pong', sessions: [] })
    expect(kinds(two)).toEqual([])
  })

  test('a turn that cannot begin says why', async () => {
    const client = await dial()
    client.send('create_session', { flow: 'nothing' })
    await client.next('session_created')
    client.send('chat_message', {}, 'hi')
    expect((await client.next('error')).data).toMatchObject({ code: 'bad_request' })
    client.send('chat_message', {}, '  ')
    expect((await client.next('error')).data).toMatchObject({ message: 'message is required' })
  })
})

describe('the end of a connection', () => {
  test('a sign-out or a deleted key closes it with 4401', async () => {
    const client = await dial()
    await client.next('auth_success')
    const { items } = (await (await fetch(`${at.url}/api/keys`, { headers: me.headers })).json()) as { items: { id: string }[] }
    await fetch(`${at.url}/api/keys/${items[0]?.id ?? ''}`, { method: 'DELETE', headers: me.headers })
    expect(await client.closed).toBe(4401)
    await isFree()
  })

  test('a client that answers no pings is cut', async () => {
    const panel = await open({ settings: { pingMs: 50 } })
    const { headers, name } = await panel.user('user')
    const deaf = await SocketClient.open(panel.url, headers)
    opened.push(deaf)
    expect(await panel.leases.count(`ws:${name}`)).toBe(1)
    deaf.socket.pause()
    await vi.waitFor(async () => expect(await panel.leases.count(`ws:${name}`)).toBe(0), { timeout: 25_000 })
  })

  test('a panel that shuts down takes no new ones, lets work end, closes with 1001 and gives the leases back', async () => {
    const clients = [await dial(), await dial()]
    clients[0]?.send('create_session', { request_id: 'last' })
    await clients[0]?.next('session_created')
    const closing = at.panel.close(5_000)
    expect(await Promise.all(clients.map((one) => one.closed))).toEqual([1001, 1001])
    await closing
    expect(await counted()).toBe(0)
  })
})
