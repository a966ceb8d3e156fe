/*
 * Goal: a socket says everything of a turn exactly once and in order, whoever began it, over every reconnect.
 * Method: real sockets against listening panels over one store, with real turns and a model server that holds its answers where a test needs it.
 */
import { beforeEach, expect, test, vi } from 'vitest'
import type { ClientFrame, SocketClient } from '../testing/socket-client.ts'
import { socketPanel, type SocketPanel } from '../testing/socket-panel.ts'
import type { TestPanel } from '../testing/test-panel.ts'

const room = socketPanel()
const { dial, model, open, post } = room
let at: TestPanel
let me: SocketPanel['me']
beforeEach(() => {
  ;({ at, me } = room)
})

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
