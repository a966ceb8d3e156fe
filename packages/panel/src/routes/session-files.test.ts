// Goal: the files of a session's workspace are its owner's, within its limits, and go with the session. Method: HTTP against a listening panel, beside what the workspace itself says.
import { join } from 'node:path'
import { Workspaces } from '@koco/flow'
import { afterAll, beforeAll, expect, test } from 'vitest'
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

async function newSession(): Promise<string> {
  const answer = await fetch(`${at.url}/api/session/new`, { method: 'POST', headers: me.headers })
  return ((await answer.json()) as { session: { session_id: string } }).session.session_id
}
function ask(method: string, id: string, path?: string, body?: string | Buffer, headers: Record<string, string> = me.headers): Promise<Response> {
  const query = new URLSearchParams({ session_id: id, ...(path !== undefined && { path }) }).toString()
  return fetch(`${at.url}/api/session/${path === undefined ? 'files' : 'file'}?${query}`, {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/octet-stream' }) },
    ...(body !== undefined && { body }),
  })
}

test('a file is written, listed, downloaded as an attachment, and taken away', async () => {
  const id = await newSession()
  const written = await ask('PUT', id, 'src/a b.py', 'print(1)')
  expect(await written.json()).toMatchObject({ ok: true, file: { path: 'src/a b.py', size: 8 } })
  expect(await (await ask('GET', id)).json()).toMatchObject({ session_id: id, files: [{ path: 'src/a b.py' }], bytes: 8, bytes_max: 100 * 2 ** 20 })
  const got = await ask('GET', id, 'src/a b.py')
  expect(got.headers.get('content-disposition')).toMatch(/^attachment/)
  expect(await got.text()).toBe('print(1)')
  expect(await (await ask('DELETE', id, 'src/a b.py')).json()).toEqual({ ok: true, deleted: true })
  expect(await (await ask('DELETE', id, 'src/a b.py')).json()).toEqual({ ok: true, deleted: false })
  expect((await ask('GET', id, 'src/a b.py')).status).toBe(404)
})

test('what is too large, leads out, or is somebody else’s is refused', async () => {
  const id = await newSession()
  expect((await ask('PUT', id, 'large', Buffer.alloc(10 * 2 ** 20 + 1))).status).toBe(413)
  for (const path of ['', '..', '../x', '/etc/passwd', '.git/config', 'a\\b']) {
    const refused = await ask('PUT', id, path, 'x')
    expect([refused.status, Object.keys((await refused.json()) as object)], path).toEqual([400, ['error']])
  }
  const other = await at.user('operator')
  for (const method of ['GET', 'DELETE']) expect((await ask(method, id, 'x', undefined, other.headers)).status).toBe(404)
  expect((await ask('PUT', id, 'x', 'x', other.headers)).status).toBe(404)
})

test('the workspace goes with its session', async () => {
  const id = await newSession()
  await ask('PUT', id, 'kept.txt', 'x')
  const key = { user: me.name, session: id }
  const workspaces = new Workspaces(join(at.folder, 'workspaces'))
  expect(await workspaces.use(key)).toEqual({ files: 1, bytes: 1 })
  await fetch(`${at.url}/api/session/delete`, {
    method: 'POST',
    headers: { ...me.headers, 'content-type': 'application/json' },
    body: JSON.stringify({ session_id: id }),
  })
  expect(await workspaces.use(key)).toEqual({ files: 0, bytes: 0 })
})
