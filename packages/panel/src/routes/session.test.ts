/*
 * Goal: the session API answers what programs that speak it expect, row by row and error by error, word for word.
 * Method: each row of its table over HTTP against a real panel, the bodies compared whole where the table gives them whole.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { call, type Answer } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

let at: TestPanel
let me: Awaited<ReturnType<TestPanel['user']>>
let other: Awaited<ReturnType<TestPanel['user']>>

beforeAll(async () => {
  at = await openTestPanel()
  me = await at.user('user')
  other = await at.user('operator')
})
afterAll(async () => {
  await at.close()
  await closeTestParts()
})

const post = (path: string, body?: object | string, who = me): Promise<Answer> => call(`${at.url}/api/${path}`, 'POST', who.headers, body)
const get = (path: string, who = me): Promise<Answer> => call(`${at.url}/api/${path}`, 'GET', who.headers)
const UNKNOWN = '0123456789ab'
type Session = { readonly session_id: string; readonly messages: readonly { id: string; role: string; content: unknown }[]; readonly [name: string]: unknown }
const sessionOf = ({ body }: Answer): Session => body['session'] as Session
const importOf = async (messages: readonly object[], more: object = {}): Promise<string> =>
  sessionOf(await post('session/import', { messages, ...more })).session_id
const contents = async (id: string): Promise<unknown[]> => sessionOf(await get(`session?session_id=${id}`)).messages.map(({ content }) => content)
const TALK = [
  { role: 'user', content: 'one' },
  { role: 'assistant', content: 'ONE' },
  { role: 'user', content: 'two' },
  { role: 'assistant', content: 'TWO' },
]

describe('import', () => {
  test('keeps each message as it was given, under a new id, and says no-store', async () => {
    const messages = [
      { id: 'a', role: 'user', content: 'hi', custom: { deep: [1, null] } },
      { role: 'assistant', content: [{ type: 'output_text', text: 'yo' }] },
      { role: 'user', content: 'hi' },
    ]
    const answer = await post('session/import', {
      session_id: UNKNOWN,
      messages,
      title: ' Trip ',
      model: 'm',
      workspace: '/w',
      tool_calls: [{ name: 'look' }],
      pinned: true,
    })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const session = sessionOf(answer)
    expect(answer.body['ok']).toBe(true)
    expect(session.session_id).toMatch(/^[0-9a-f]{12}$/)
    expect(session.session_id).not.toBe(UNKNOWN)
    expect(session).toMatchObject({ title: 'Trip', model: 'm', workspace: '/w', pinned: true, message_count: 3, tool_calls: [{ name: 'look' }] })
    expect(session.messages).toMatchObject(messages)
    expect(new Set(session.messages.map(({ id }) => id)).size).toBe(3)
    expect(sessionOf(await get(`session?session_id=${session.session_id}`))).toEqual(session)
    expect(await get(`session?session_id=${UNKNOWN}`)).toMatchObject({ status: 404 })
  })

  test('has the title `Imported session` unless one is given', async () => {
    expect(sessionOf(await post('session/import', { messages: [] }))).toMatchObject({ title: 'Imported session', message_count: 0 })
  })

  test.each([
    ['[1]', 'Request body must be a JSON object'],
    ['"x"', 'Request body must be a JSON object'],
    ['null', 'Request body must be a JSON object'],
    ['{}', 'JSON must contain a "messages" array'],
    ['{"messages": {}}', 'JSON must contain a "messages" array'],
    ['{"messages": [], "tool_calls": {}}', 'JSON "tool_calls" must be an array'],
    ['{"messages": ["x"]}', 'messages[0] must be an object'],
    ['{"messages": [{"content": "x"}]}', 'messages[0].role must be a non-empty string'],
    ['{"messages": [{"role": "user", "content": 7}]}', 'messages[0].content must be a string, null or an array of strings and objects'],
    ['{"messages": [], "title": 7}', 'title must be a string'],
  ])('%s is refused', async (body, error) => {
    expect(await post('session/import', body)).toMatchObject({ status: 400, body: { error } })
    expect((await post('session/import', body)).body).toEqual({ error })
  })

  test('what is not JSON is refused in the same words', async () => {
    const answer = await post('session/import', '{')
    expect(answer.status).toBe(400)
    expect(Object.keys(answer.body)).toEqual(['error'])
  })
})

test('new makes an empty session `Untitled`', async () => {
  const answer = await post('session/new', { workspace: '/w', model: 'm' })
  expect(Object.keys(answer.body)).toEqual(['session'])
  expect(sessionOf(answer)).toMatchObject({ title: 'Untitled', workspace: '/w', model: 'm', message_count: 0, active_stream_id: null, parent_session_id: null })
  expect(sessionOf(await post('session/new'))).toMatchObject({ title: 'Untitled', model: null })
})

test('a session is read whole, without messages, or by its last ones', async () => {
  const id = await importOf(Array.from({ length: 6 }, (_, n) => ({ role: 'user', content: `${n}` })))
  const read = async (query: string) => {
    const { messages, _messages_truncated: truncated, _messages_offset: offset } = sessionOf(await get(`session?session_id=${id}${query}`))
    return [messages.map(({ content }) => content).join(''), truncated, offset]
  }
  expect(await read('')).toEqual(['012345', false, 0])
  expect(await read('&messages=0')).toEqual(['', true, 6])
  expect(await read('&msg_limit=2')).toEqual(['45', true, 4])
  expect(await read('&msg_limit=2&msg_before=4')).toEqual(['23', true, 2])
  expect(await read('&msg_limit=9999')).toEqual(['012345', false, 0])
  const long = await importOf(Array.from({ length: 501 }, (_, n) => ({ role: 'user', content: `${n}` })))
  const { messages, _messages_offset: first } = sessionOf(await get(`session?session_id=${long}&msg_limit=9999`))
  expect([messages.length, first]).toEqual([500, 1])
  expect((await get('session')).body).toEqual({ error: 'session_id is required' })
  expect(await get(`session?session_id=${id}&msg_limit=x`)).toMatchObject({ status: 400, body: { error: 'msg_limit must be a non-negative integer' } })
})

describe('retry', () => {
  test('gives the text back and takes it out with all after it', async () => {
    const id = await importOf([...TALK, { role: 'tool', content: 'x' }])
    expect((await post('session/retry', { session_id: id })).body).toMatchObject({ ok: true, last_user_text: 'two', removed_count: 3 })
    expect(await contents(id)).toEqual(['one', 'ONE'])
  })

  test('joins text parts, and gives attachments back', async () => {
    const content = [
      { type: 'text', text: 'a' },
      { type: 'image_url', image_url: { url: 'data:,' } },
      { text: 'b' },
      { type: 'input_text', text: 'c' },
      { type: '', text: 'd' },
    ]
    const id = await importOf([{ role: 'user', content, attachments: [{ name: 'f.txt' }] }])
    expect((await post('session/retry', { session_id: id })).body).toMatchObject({
      last_user_text: 'a b c d',
      removed_count: 1,
      attachments: [{ name: 'f.txt' }],
    })
    const image = await importOf([{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }])
    expect((await post('session/retry', { session_id: image })).body).toMatchObject({ last_user_text: '', removed_count: 1 })
  })

  test('says with 200 that there is nothing', async () => {
    for (const messages of [[], [{ role: 'assistant', content: 'alone' }]]) {
      const answer = await post('session/retry', { session_id: await importOf(messages) })
      expect([answer.status, answer.body]).toEqual([200, { error: 'No previous message to retry.' }])
    }
  })

  test('of four at once each takes one turn; with one revision one wins', async () => {
    const id = await importOf([...TALK, ...TALK])
    const free = await Promise.all([1, 2, 3, 4, 5].map(() => post('session/retry', { session_id: id })))
    expect(free.filter(({ body }) => body['ok'] === true).map(({ body }) => body['removed_count'])).toEqual([2, 2, 2, 2])
    expect(free.filter(({ body }) => body['error'] === 'No previous message to retry.')).toHaveLength(1)
    const next = sessionOf(await post('session/import', { messages: [...TALK, ...TALK] }))
    const bound = await Promise.all([1, 2, 3, 4].map(() => post('session/retry', { session_id: next.session_id, expected_revision: next['revision'] })))
    expect(bound.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409])
    expect(await contents(next.session_id)).toEqual(['one', 'ONE', 'two', 'TWO', 'one', 'ONE'])
  })
})

describe('undo and redo', () => {
  test('undo shows the beginning of what went', async () => {
    const long = 'x'.repeat(41)
    const id = await importOf([...TALK, { role: 'user', content: long }, { role: 'assistant', content: '!' }])
    expect((await post('session/undo', { session_id: id })).body).toMatchObject({ ok: true, removed_count: 2, removed_preview: `${'x'.repeat(40)}...` })
    expect((await post('session/undo', { session_id: id, turns: 2 })).body).toMatchObject({ ok: true, removed_count: 4, removed_preview: 'one' })
    const nothing = await post('session/undo', { session_id: id })
    expect([nothing.status, nothing.body]).toEqual([200, { error: 'Nothing to undo.' }])
    expect((await post('session/redo', { session_id: id })).body).toMatchObject({ ok: true, restored_count: 4 })
    expect((await post('session/redo', { session_id: id })).body).toMatchObject({ ok: true, restored_count: 2 })
    const none = await post('session/redo', { session_id: id })
    expect([none.status, none.body]).toEqual([200, { error: 'Nothing to redo.' }])
    expect(await contents(id)).toEqual(['one', 'ONE', 'two', 'TWO', long, '!'])
  })

  test('truncate and clear can be redone too', async () => {
    const id = await importOf(TALK)
    expect(sessionOf(await post('session/truncate', { session_id: id, keep_count: 1 })).messages).toHaveLength(1)
    expect(sessionOf(await post('session/truncate', { session_id: id, keep_count: 5 })).messages).toHaveLength(1)
    expect(sessionOf(await post('session/clear', { session_id: id }))).toMatchObject({ messages: [], message_count: 0 })
    await post('session/redo', { session_id: id })
    await post('session/redo', { session_id: id })
    expect(await contents(id)).toEqual(['one', 'ONE', 'two', 'TWO'])
  })
})

test('status and usage of a session that has spent nothing', async () => {
  const id = await importOf(TALK, { model: 'm', workspace: '/w' })
  const { body } = await get(`session/status?session_id=${id}`)
  expect(body).toEqual({
    session_id: id,
    title: 'Imported session',
    model: 'm',
    workspace: '/w',
    personality: null,
    message_count: 4,
    created_at: expect.any(Number),
    updated_at: expect.any(Number),
    agent_running: false,
    active_stream_id: null,
    input_tokens: 0,
    output_tokens: 0,
    total_tokens: 0,
    estimated_cost: null,
  })
  expect((await get(`session/usage?session_id=${id}`)).body).toEqual({ input_tokens: 0, output_tokens: 0, total_tokens: 0, estimated_cost: null, model: 'm' })
})

test('usage is the sum of the calls, priced by their day; one unknown price makes the cost unknown; undo takes nothing back', async () => {
  const id = await importOf(TALK)
  const tokens = { input_uncached: 1_000_000, cache_read: 1_000_000, cache_write: 0, output: 500_000, reasoning: 500_000 }
  const use = (model: string, day: string, cost: number | null = null) =>
    at.store.sessions.change(id, { do: 'use', uses: [{ provider: 'p', model, at: Date.parse(day) / 1000, tokens, cost }] }, { at: 1 })
  await use('claude-sonnet-5', '2026-08-31')
  await use('anthropic/claude-sonnet-5', '2026-09-01')
  await use('unheard-of', '2025-07-01', 0.5)
  await post('session/undo', { session_id: id })
  const usage = {
    input_tokens: 6_000_000,
    output_tokens: 3_000_000,
    total_tokens: 9_000_000,
    estimated_cost: 2 + 0.2 + 10 + (3 + 0.3 + 15) + 0.5,
    model: 'unheard-of',
  }
  const { estimated_cost: cost, ...counts } = (await get(`session/usage?session_id=${id}`)).body
  const { estimated_cost: wanted, ...expected } = usage
  expect(counts).toEqual(expected)
  expect(cost).toBeCloseTo(wanted, 9)
  await use('unheard-of', '2025-07-01')
  expect((await get(`session/usage?session_id=${id}`)).body).toMatchObject({ total_tokens: 12_000_000, estimated_cost: null })
})

describe('labels', () => {
  test('rename, pin, move, update; archive and draft leave the time of the last change alone', async () => {
    const id = await importOf(TALK)
    const before = sessionOf(await get(`session?session_id=${id}`))['updated_at']
    expect((await post('session/archive', { session_id: id })).body).toMatchObject({ ok: true, session: { archived: true, updated_at: before } })
    expect((await post('session/draft', { session_id: id, text: 'half' })).body).toEqual({ ok: true, session_id: id, draft: { text: 'half', files: [] } })
    expect((await get(`session/draft?session_id=${id}`)).body).toEqual({ ok: true, session_id: id, draft: { text: 'half', files: [] } })
    expect(sessionOf(await get(`session?session_id=${id}`))['updated_at']).toBe(before)
    expect(sessionOf(await post('session/archive', { session_id: id, archived: false }))['archived']).toBe(false)
    expect(sessionOf(await post('session/rename', { session_id: id, title: ' New ' }))).toMatchObject({ title: 'New' })
    expect(sessionOf(await post('session/pin', { session_id: id }))).toMatchObject({ pinned: true })
    expect(sessionOf(await post('session/pin', { session_id: id, pinned: false }))).toMatchObject({ pinned: false })
    expect(sessionOf(await post('session/move', { session_id: id, project_id: 'p' }))).toMatchObject({ project_id: 'p' })
    expect(sessionOf(await post('session/move', { session_id: id, project_id: null }))).toMatchObject({ project_id: null })
    expect(sessionOf(await post('session/update', { session_id: id, model: 'n', workspace: '/v', personality: 'dry' }))).toMatchObject({
      model: 'n',
      workspace: '/v',
      personality: 'dry',
    })
    expect(Number(sessionOf(await get(`session?session_id=${id}`))['updated_at'])).toBeGreaterThan(Number(before))
    expect((await post('session/rename', { session_id: id })).body).toEqual({ error: 'Missing required field(s): title' })
  })

  test('delete may be repeated', async () => {
    const id = await importOf(TALK)
    expect((await post('session/delete', { session_id: id }, other)).body).toEqual({ ok: true })
    expect(await contents(id)).toHaveLength(4)
    expect((await post('session/delete', { session_id: id })).body).toEqual({ ok: true })
    expect((await post('session/delete', { session_id: id })).body).toEqual({ ok: true })
    expect((await get(`session?session_id=${id}`)).body).toEqual({ error: 'Session not found' })
  })
})

describe('copies', () => {
  test('a branch keeps its lineage and stays as it is when the other goes on', async () => {
    const id = await importOf(TALK, { title: 'Trip', model: 'm' })
    const fork = await post('session/branch', { session_id: id, keep_count: 2 })
    expect(fork.body).toMatchObject({
      ok: true,
      parent_session_id: id,
      title: 'Trip (fork)',
      session: { title: 'Trip (fork)', model: 'm', parent_session_id: id, message_count: 2 },
    })
    await post('session/clear', { session_id: id })
    expect(await contents(String(fork.body['session_id']))).toEqual(['one', 'ONE'])
    expect((await post('session/branch', { session_id: id, title: 'Mine' })).body).toMatchObject({ title: 'Mine' })
  })

  test('a duplicate is a session of its own', async () => {
    const id = await importOf(TALK, { title: 'Trip' })
    const twin = sessionOf(await post('session/duplicate', { session_id: id }))
    expect(twin).toMatchObject({ title: 'Trip (copy)', parent_session_id: null, message_count: 4 })
    await post('session/clear', { session_id: twin.session_id })
    expect(await contents(id)).toHaveLength(4)
  })

  test('an export comes back as it was', async () => {
    const id = await importOf([{ role: 'user', content: '<b>"ü" & 🚂</b>', custom: 1 }], { title: '<Trip>', tool_calls: [{ name: 'look' }] })
    const json = await get(`session/export?session_id=${id}&format=json`)
    expect(json.headers.get('content-disposition')).toBe(`attachment; filename="koco-${id}.json"`)
    const again = sessionOf(await post('session/import', json.body))
    const before = sessionOf(await get(`session?session_id=${id}`))
    expect([again['title'], again.messages, again['tool_calls']]).toEqual([before['title'], before.messages, before['tool_calls']])
    const html = await fetch(`${at.url}/api/session/export?session_id=${id}&format=html`, { headers: me.headers })
    const page = await html.text()
    expect(html.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page).toContain('<h1>&lt;Trip&gt;</h1>')
    expect(page).toContain('&lt;b&gt;&quot;ü&quot; &amp; 🚂&lt;/b&gt;')
    expect(page).not.toMatch(/<b>|<script/)
    expect((await get(`session/export?session_id=${id}&format=pdf`)).body).toEqual({ error: 'format must be json or html' })
  })
})

test('lists and searches', async () => {
  const who = await at.user('user')
  const make = async (body: object): Promise<string> => sessionOf(await post('session/import', body, who)).session_id
  const first = await make({ messages: TALK, title: 'Rome' })
  const second = await make({ messages: [{ role: 'user', content: 'Where is Rome, please?' }], title: 'Geography' })
  const third = await make({ messages: [], title: 'Old', pinned: true })
  await post('session/archive', { session_id: first }, who)
  const list = async (query: string) => ((await get(`sessions${query}`, who)).body['sessions'] as Session[]).map((one) => one.session_id)
  expect(await list('')).toEqual([third, second])
  expect(await list('?archived=1')).toEqual([first])
  expect(await list('?archived=all&limit=1')).toEqual([third])
  const { next } = (await get('sessions?archived=all&limit=1', who)).body
  expect(await list(`?archived=all&limit=2&after=${String(next)}`)).toEqual([second, first])
  const search = async (query: string) =>
    ((await get(`sessions/search?${query}`, who)).body['sessions'] as Session[]).map((one) => [one.session_id, one['match_type'], one['preview']])
  expect(await search('q=rome')).toEqual([[first, 'title', 'Rome']])
  expect(await search('q=rome&content=1')).toEqual([
    [first, 'title', 'Rome'],
    [second, 'content', 'Where is Rome, please?'],
  ])
  expect((await get('sessions/search?q=rome&content=1', who)).body).toMatchObject({ query: 'rome', count: 2 })
  expect(await search('q=TWO&content=1&depth=2')).toEqual([])
  expect(await search('q=TWO&content=1')).toEqual([[first, 'content', 'two']])
  expect((await get('sessions?after=nonsense', who)).status).toBe(400)
})

test('damaged data is told where it is, and harms nothing else', async () => {
  const [a, b, c] = [await importOf(TALK), await importOf(TALK), await importOf(TALK)]
  await post('session/undo', { session_id: b })
  const db = new DatabaseSync(join(at.folder, 'execution/index.db'))
  db.exec(`UPDATE session_entries SET body = replace(body, 'one', 'two') WHERE session = '${a}' AND revision = 1`)
  db.exec(`UPDATE session_entries SET head = '{}' WHERE session = '${b}' AND revision = 2`)
  db.close()
  const first = sessionOf(await get(`session?session_id=${a}`))
  expect(first.messages).toMatchObject(TALK.map(({ role }) => ({ role, content: '', damaged: true })))
  expect(sessionOf(await get(`session?session_id=${b}`))).toMatchObject({ _damaged: [2], message_count: 4 })
  expect(sessionOf(await get(`session?session_id=${b}`))['damage']).toMatch(/^Entry 2 of this session's log was changed or taken away outside of koco: .*\.$/)
  expect(first['damage']).toBe('The text of 4 messages here was changed outside of koco and cannot be read; everything else is as it was said.')
  const refused = await post('session/retry', { session_id: b })
  expect([refused.status, refused.body]).toEqual([409, { error: 'session data is damaged; what can be read of it can be branched or exported' }])
  const saved = await post('session/branch', { session_id: b })
  expect(await contents(String(saved.body['session_id']))).toEqual(TALK.map(({ content }) => content))
  expect((await get('sessions?limit=500')).body['sessions']).toEqual(expect.arrayContaining([a, b, c].map((id) => expect.objectContaining({ session_id: id }))))
  expect((await post('session/retry', { session_id: c })).body).toMatchObject({ ok: true, removed_count: 2 })
  expect((await post('session/delete', { session_id: b })).body).toEqual({ ok: true })
})

test('one Idempotency-Key makes one session', async () => {
  const make = (path: string, body: object): Promise<Answer> =>
    call(`${at.url}/api/session/${path}`, 'POST', { ...me.headers, 'idempotency-key': `key-${path}` }, body)
  const [one, two] = [await make('import', { messages: TALK }), await make('import', { messages: TALK })]
  expect(two.body).toEqual(one.body)
  expect((await make('import', { messages: [] })).status).toBe(400)
  const [first, again] = await Promise.all([make('new', {}), make('new', {})])
  expect(again?.body).toEqual(first?.body)
})

describe('errors', () => {
  const WITH_SESSION = ['retry', 'undo', 'redo', 'truncate', 'clear', 'rename', 'delete', 'branch', 'duplicate', 'pin', 'archive', 'move', 'update', 'draft']
  test.each(WITH_SESSION)('%s names the field that is missing', async (what) => {
    const answer = await post(`session/${what}`, {})
    expect(answer.status).toBe(400)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(String(answer.body['error'])).toMatch(/^Missing required field\(s\): session_id(, \w+)?$/)
  })

  test.each([...WITH_SESSION.map((what) => `session/${what}`), 'session/compress', 'chat/start', 'chat/queue'])(
    '%s acts on what the caller has seen, or not at all',
    async (path) => {
      const id = await importOf(TALK)
      const body = { session_id: id, keep_count: 0, title: 't', text: 'x', message: 'x', expected_revision: 7 }
      expect(await post(path, body)).toMatchObject({ status: 409, body: { error: 'session has changed: it is at revision 1', revision: 1 } })
      expect(sessionOf(await get(`session?session_id=${id}`))).toMatchObject({ revision: 1, message_count: 4, title: 'Imported session' })
    },
  )

  test.each(WITH_SESSION.filter((what) => what !== 'delete'))('%s knows no foreign session, nor one that is not there', async (what) => {
    const body = { keep_count: 0, title: 't', text: 'x', model: 'm' }
    const foreign = await importOf(TALK)
    for (const [id, who] of [
      [UNKNOWN, me],
      [foreign, other],
      ['../x', me],
    ] as const) {
      const answer = await post(`session/${what}`, { session_id: id, ...body }, who)
      expect([answer.status, answer.body]).toEqual([404, { error: 'Session not found' }])
    }
    expect(await contents(foreign)).toHaveLength(4)
  })

  test.each([
    ['session/status', 'Missing session_id'],
    ['session/usage', 'Missing session_id'],
    ['session', 'session_id is required'],
  ])('%s says what it needs', async (path, error) => {
    expect([(await get(path)).status, (await get(path)).body]).toEqual([400, { error }])
    expect([(await get(`${path}?session_id=${UNKNOWN}`)).status, (await get(`${path}?session_id=${UNKNOWN}`)).body]).toEqual([
      404,
      { error: 'Session not found' },
    ])
  })

  test.each([
    ['truncate', 'two', 'keep_count must be an integer'],
    ['truncate', 1.5, 'keep_count must be an integer'],
    ['truncate', -1, 'keep_count must be non-negative'],
    ['branch', 'two', 'keep_count must be an integer'],
    ['branch', -1, 'keep_count must be non-negative'],
  ])('%s with keep_count %s', async (what, keep, error) => {
    const answer = await post(`session/${what}`, { session_id: await importOf(TALK), keep_count: keep })
    expect([answer.status, answer.body]).toEqual([400, { error }])
  })

  test('who is not signed in, or may not, is told in the same words', async () => {
    const unsigned = await call(`${at.url}/api/sessions`, 'GET', {})
    expect([unsigned.status, Object.keys(unsigned.body)]).toEqual([401, ['error']])
    const viewer = await post('session/new', {}, await at.user('viewer'))
    expect([viewer.status, Object.keys(viewer.body)]).toEqual([403, ['error']])
  })
})
