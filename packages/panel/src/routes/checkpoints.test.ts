/*
 * Goal: people make checkpoints of their conversations over HTTP, go back, compare, merge and carry them, with one clear problem where that cannot be.
 * Method: a listening panel over the real stores; sessions and their workspaces as the chat has them. What each operation does in detail is tested in packages/checkpoints.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ChatMessage } from '@koco/storage'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { call, type Answer } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

let at: TestPanel
let me: Awaited<ReturnType<TestPanel['user']>>
beforeAll(async () => {
  at = await openTestPanel()
  me = await at.user('user')
})
afterAll(async () => {
  await at.close()
  await closeTestParts()
})

const post = (path: string, body: object = {}, headers: Record<string, string> = {}): Promise<Answer> =>
  call(`${at.url}/api/checkpoints${path}`, 'POST', { ...me.headers, ...headers }, body)
const get = (path: string, headers: Record<string, string> = me.headers): Promise<Answer> => call(`${at.url}/api/checkpoints${path}`, 'GET', headers)
const roomOf = (session: string): string => join(at.folder, 'workspaces', me.name, session)

async function write(session: string, path: string, content: string): Promise<void> {
  const file = join(roomOf(session), path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
}

async function makeSession(files: Record<string, string> = { 'a.txt': 'one\ntwo\n' }): Promise<string> {
  const id = randomBytes(6).toString('hex')
  const messages: ChatMessage[] = [
    { id: 'm1', role: 'user', content: 'Where to?' },
    { id: 'm2', role: 'assistant', content: 'To Lisbon.', turn: 'f'.repeat(24) },
  ]
  await at.store.sessions.create({ id, user: me.name, at: 1, title: 'A trip', model: 'tiny', messages })
  for (const [path, content] of Object.entries(files)) await write(id, path, content)
  return id
}

const say = (id: string, content: string) =>
  at.store.sessions.change(id, { do: 'append', messages: [{ id: `m${content.length}-${content.slice(0, 3)}`, role: 'user', content }] }, { at: 2 })
const messagesOf = async (id: string): Promise<unknown[]> => (await at.store.sessions.read(id))?.messages.map(({ content }) => content) ?? []

test('a checkpoint is made, found, read, described anew, locked and deleted', async () => {
  const session = await makeSession()
  const made = await post('', { session_id: session, description: 'Before Lisbon', tags: ['trip'], metadata: { stage: { n: 1 } } })
  const id = String(made.body['id'])
  expect([made.status, made.headers.get('location')]).toEqual([201, `/api/checkpoints/${id}`])
  expect(made.body).toMatchObject({
    session_id: session,
    user: me.name,
    messages: 2,
    file_count: 2,
    state: { title: 'A trip', model: 'tiny' },
    parent_id: null,
  })
  expect((await get(`/${id}`)).body).toEqual(made.body)
  for (const query of [`session_id=${session}`, 'tags=trip&q=lisbon', `metadata=${encodeURIComponent('{"stage":{"n":1}}')}`]) {
    expect((await get(`?${query}`)).body).toMatchObject({ items: [{ id, added_bytes: expect.any(Number) as number }], next: null })
  }
  const patched = await call(`${at.url}/api/checkpoints/${id}`, 'PATCH', me.headers, { description: 'Later' })
  expect(patched.body).toMatchObject({ description: 'Later', tags: ['trip'] })
  expect((await post(`/${id}/lock`, { reason: 'released' })).body).toMatchObject({ lock: { by: me.name, reason: 'released' } })
  expect((await call(`${at.url}/api/checkpoints/${id}`, 'DELETE', me.headers)).body).toMatchObject({ status: 409, code: 'checkpoint_locked' })
  expect((await post(`/${id}/unlock`)).body).toMatchObject({ lock: null })
  expect((await call(`${at.url}/api/checkpoints/${id}`, 'DELETE', me.headers)).status).toBe(204)
  expect((await get(`/${id}`)).body).toMatchObject({ status: 404, code: 'unknown_checkpoint' })
})

test('a file is given as it was', async () => {
  const session = await makeSession({ 'ü/täxt.html': '<b>as it was</b>' })
  const { body } = await post('', { session_id: session })
  await write(session, 'ü/täxt.html', 'changed')
  const answer = await fetch(`${at.url}/api/checkpoints/${String(body['id'])}/file?path=${encodeURIComponent('ü/täxt.html')}`, { headers: me.headers })
  expect([answer.status, answer.headers.get('content-type'), answer.headers.get('content-security-policy'), await answer.text()]).toEqual([
    200,
    'application/octet-stream',
    "sandbox; default-src 'none'",
    '<b>as it was</b>',
  ])
  expect((await get(`/${String(body['id'])}/file?path=none`)).body).toMatchObject({ status: 404, code: 'unknown_file' })
})

test('a restore makes a new session by default, and says before what it would change', async () => {
  const session = await makeSession()
  const id = String((await post('', { session_id: session })).body['id'])
  await say(session, 'To Rome, rather.')
  await write(session, 'a.txt', 'changed')
  expect((await post(`/${id}/restore`, { dry_run: true, in_place: true })).body).toEqual({
    session_id: session,
    files: { added: [], changed: ['a.txt'], removed: [], unchanged: 0 },
    missing: [],
    conversation: { now: 3, copied: 2, common: 2 },
    steps: [],
    locks: [],
  })
  const { body } = await post(`/${id}/restore`, { session_options: { model: 'large' } })
  const made = String(body['session_id'])
  expect(await at.store.sessions.get(made)).toMatchObject({ user: me.name, parent: session, title: 'A trip', model: 'large', messageCount: 2 })
  expect(await readFile(join(roomOf(made), 'a.txt'), 'utf8')).toBe('one\ntwo\n')
  expect([await messagesOf(session).then((all) => all.length), await readFile(join(roomOf(session), 'a.txt'), 'utf8')]).toEqual([3, 'changed'])
})

test('in place it puts the session back, and what was there can be had again', async () => {
  const session = await makeSession()
  const id = String((await post('', { session_id: session })).body['id'])
  await say(session, 'Forget that.')
  await write(session, 'b.txt', 'new')
  const { body } = await post(`/${id}/restore`, { in_place: true })
  expect([await messagesOf(session), await readdir(roomOf(session))]).toEqual([['Where to?', 'To Lisbon.'], ['a.txt']])
  await post(`/${String(body['before'])}/restore`, { in_place: true })
  expect([await messagesOf(session), await readdir(roomOf(session))]).toEqual([
    ['Where to?', 'To Lisbon.', 'Forget that.'],
    ['a.txt', 'b.txt'],
  ])
  await at.store.sessions.change(
    session,
    { do: 'start-turn', fid: 'a'.repeat(24), kind: 'chat', message: { id: 'm9', role: 'user', content: 'go' } },
    { at: 3 },
  )
  expect((await post(`/${id}/restore`, { in_place: true })).body).toMatchObject({ status: 409, code: 'session_busy' })
})

test('steps and questions of turns since then are told', async () => {
  const session = await makeSession()
  const id = String((await post('', { session_id: session })).body['id'])
  const { fid } = await at.asking(me.name)
  await at.store.sessions.change(session, { do: 'append', messages: [{ id: 'm7', role: 'assistant', content: 'May I?', turn: fid }] }, { at: 2 })
  expect((await post(`/${id}/restore`, { dry_run: true })).body).toMatchObject({ locks: [expect.any(String) as string] })
})

test('branches are drawn, compared and merged', async () => {
  const session = await makeSession({ 'a.txt': 'one\ntwo\nthree\n' })
  const base = String((await post('', { session_id: session })).body['id'])
  const other = String((await post(`/${base}/restore`)).body['session_id'])
  await write(session, 'a.txt', 'ONE\ntwo\nthree\n')
  await write(other, 'a.txt', 'one\ntwo\nTHREE\n')
  await say(session, 'ours')
  await say(other, 'theirs')
  const ours = String((await post('', { session_id: session, parent_id: base })).body['id'])
  const theirs = String((await post('', { session_id: other, parent_id: base })).body['id'])
  const tree = await get(`/tree?session_id=${session}`)
  expect(tree.body).toMatchObject({ branches: [{ head: ours }, { head: theirs, forked_from: base }], ancestors: [{ heads: [ours, theirs], ancestor: base }] })
  const compared = await get(`/compare?a=${ours}&b=${theirs}`)
  expect(compared.body).toMatchObject({
    ancestor: base,
    differences: { files: { modified: [{ path: 'a.txt', diff: expect.stringContaining('-ONE') as string }] } },
  })
  const told = await post('/merge', { ours, theirs, strategy: 'manual' })
  expect(told.body).toMatchObject({
    outcome: 'conflicts',
    files: [],
    conversation: { common: 2, ours: [{ content: 'ours' }], theirs: [{ content: 'theirs' }] },
  })
  const merged = await post('/merge', { ours, theirs, strategy: 'manual', resolution: { conversation: 'both' } })
  const made = String(merged.body['session_id'])
  expect([await readFile(join(roomOf(made), 'a.txt'), 'utf8'), await messagesOf(made)]).toEqual([
    'ONE\ntwo\nTHREE\n',
    ['Where to?', 'To Lisbon.', 'ours', 'theirs'],
  ])
  expect((await post('/merge', { ours, theirs: ours, strategy: 'ours' })).body).toMatchObject({ status: 422, code: 'same_checkpoint' })
})

test('an archive goes out and comes back; what is none is refused', async () => {
  const session = await makeSession()
  const made = await post('', { session_id: session, description: 'to carry', metadata: { a: [1] } })
  const id = String(made.body['id'])
  const archive = Buffer.from(await (await fetch(`${at.url}/api/checkpoints/${id}/export`, { headers: me.headers })).arrayBuffer())
  await call(`${at.url}/api/checkpoints/${id}`, 'DELETE', me.headers)
  const send = (body: Buffer, type = 'application/gzip') =>
    fetch(`${at.url}/api/checkpoints/import`, { method: 'POST', headers: { ...me.headers, 'content-type': type }, body: new Uint8Array(body) })
  const back = await send(archive)
  expect([back.status, await back.json()]).toMatchObject([201, { id, description: 'to carry', metadata: { a: [1] }, origin: 'import', user: me.name }])
  expect(await (await send(randomBytes(500))).json()).toMatchObject({ status: 422, code: 'bad_archive' })
  expect((await send(archive, 'application/json')).status).toBe(400)
})

test('one Idempotency-Key makes one checkpoint', async () => {
  const session = await makeSession()
  const key = { 'idempotency-key': 'once' }
  const [one, two] = [await post('', { session_id: session }, key), await post('', { session_id: session }, key)]
  expect(two.body).toEqual(one.body)
  expect((await get(`?session_id=${session}`)).body['items']).toHaveLength(1)
})

test.each<[body: { session_id?: string; parent_id?: string; compression_level?: number }, status: number, code: string]>([
  [{}, 422, 'invalid_body'],
  [{ session_id: '../../etc' }, 422, 'invalid_body'],
  [{ session_id: '0123456789ab' }, 404, 'unknown_session'],
  [{ session_id: 'own', parent_id: `ck${'0'.repeat(24)}` }, 404, 'unknown_checkpoint'],
  [{ session_id: 'own', compression_level: 10 }, 422, 'invalid_body'],
])('%j is refused with %i %s', async (body, status, code) => {
  const own = body.session_id === 'own' ? { session_id: await makeSession() } : {}
  expect((await post('', { ...body, ...own })).body).toMatchObject({ status, code })
})

test('operators look after all checkpoints; totals are those of the caller', async () => {
  const operator = await at.user('operator')
  const session = await makeSession()
  const id = String((await post('', { session_id: session })).body['id'])
  const act = (what: string, body: object = {}) => call(`${at.url}/api/checkpoints/${what}`, 'POST', operator.headers, body)
  await writeFile(join(at.folder, 'checkpoints', `${id}.json`), 'damaged')
  expect((await get(`/${id}`)).body).toMatchObject({ status: 409, code: 'corrupt_manifest' })
  expect((await act('validate')).body).toMatchObject({ errors: [{ id }] })
  expect((await act('repair')).body).toEqual({ repaired: [id], errors: [] })
  expect((await act('validate', { id, deep: true })).body).toEqual({ checked: 1, errors: [] })
  expect((await act('gc')).body).toMatchObject({ removed: 0 })
  expect((await get(`/${id}/integrity?deep=true`)).body).toEqual({ blobs_present: true, workspace_match: true, all_files_present: true, missing: [] })
  const totals = (await get('/totals')).body
  expect(totals['count']).toBeGreaterThan(0)
  expect((await get('/totals', operator.headers)).body).toEqual({ count: 0, bytes: 0, stored_bytes: 0 })
})

test('automatic ones are switched on and off', async () => {
  const session = await makeSession()
  expect((await post('/auto', { session_id: session, interval_s: 60 })).body).toEqual({ session_id: session, enabled: true, interval_s: 60 })
  expect((await post('/auto', { session_id: session, interval_s: null })).body).toEqual({ session_id: session, enabled: false, interval_s: null })
})
