/*
 * Goal: a socket opens only for who may, and no more than allowed; what is wrong is told and does no harm; it ends in order.
 * Method: real sockets against listening panels over one store.
 */
import { connect } from 'node:net'
import { UnavailableError } from '@koco/core'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { SocketClient, type Refused } from '../testing/socket-client.ts'
import { socketPanel, type SocketPanel } from '../testing/socket-panel.ts'
import type { TestPanel } from '../testing/test-panel.ts'

const room = socketPanel()
const { counted, dial, isFree, open, opened, post } = room
let at: TestPanel
let me: SocketPanel['me']
beforeEach(() => {
  ;({ at, me } = room)
})

const refusal = (headers: Record<string, string>, path = '/ws', url = at.url): Promise<unknown> => SocketClient.dial(url, headers, path)

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
