/*
 * Goal: nobody does more than their role allows, and a foreign run is as unknown as one that does not exist.
 * Method: every route of the panel, for every role, on one's own run and on a foreign one, over HTTP. The table is written by hand, not derived from the
 * code; a route that it lacks fails the test.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { must } from '@koco/core'
import { FileFolder } from '@koco/flow'
import type { Role } from '@koco/storage'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servedRoutes } from '../testing/served-routes.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

type Verdict = 'yes' | 'forbidden' | 'unknown' | 'unsigned'
type Who = 'nobody' | Role
const ROLES = ['viewer', 'user', 'operator'] as const

const VERDICTS: Readonly<Record<number, Verdict>> = { 401: 'unsigned', 403: 'forbidden', 404: 'unknown' }

/** What each may do: nobody, viewer, user, operator; with a run: first on one's own, then on a foreign one. */
const everybody = { nobody: 'yes', viewer: 'yes', user: 'yes', operator: 'yes' } as const
const unknown = { nobody: 'unknown', viewer: 'unknown', user: 'unknown', operator: 'unknown' } as const
const signedIn = { nobody: 'unsigned', viewer: 'yes', user: 'yes', operator: 'yes' } as const
const users = { nobody: 'unsigned', viewer: 'forbidden', user: 'yes', operator: 'yes' } as const
const operators = { nobody: 'unsigned', viewer: 'forbidden', user: 'forbidden', operator: 'yes' } as const
const nothingThere = { nobody: 'unsigned', viewer: 'unknown', user: 'unknown', operator: 'unknown' } as const
const foreignRead = { nobody: 'unsigned', viewer: 'unknown', user: 'unknown', operator: 'yes' } as const
const foreignWrite = { nobody: 'unsigned', viewer: 'forbidden', user: 'unknown', operator: 'yes' } as const

type Rule = {
  readonly own: Readonly<Record<Who, Verdict>>
  readonly foreign?: Readonly<Record<Who, Verdict>>
  readonly body?: object
  readonly bytes?: string
  readonly path?: string
}
const read = { own: signedIn, foreign: foreignRead }
const write = { own: users, foreign: foreignWrite, body: {} }

const session = (path: string, body?: object) => ({
  own: body ? users : signedIn,
  foreign: { nobody: 'unsigned', viewer: body ? 'forbidden' : 'unknown', user: 'unknown', operator: 'unknown' } as const,
  ...(body ? { body: { session_id: '{sid}', ...body } } : { path: `${path}?session_id={sid}` }),
})
const checkpoint = (act: 'read' | 'write', more: Partial<Rule> = {}): Rule => ({
  own: act === 'read' ? signedIn : users,
  foreign: { nobody: 'unsigned', viewer: act === 'read' ? 'unknown' : 'forbidden', user: 'unknown', operator: 'unknown' },
  ...more,
})
const UNKNOWN_STREAM = { ...users, user: 'unknown', operator: 'unknown' } as const

const FOREIGN_SCHEDULE = '/api/schedules/of-a-stranger'
const FOREIGN_WEBHOOK = '/api/webhooks/of-a-stranger'
const UNKNOWN_UPLOAD = '/api/uploads/0123456789abcdef0123456789abcdef'

const RULES: Readonly<Record<string, Rule>> = {
  'GET /healthz': { own: everybody },
  'POST /api/runs/{fid}/fork': { ...write, path: '/api/runs/{fid}/fork?dry_run' },
  'GET /api/runs/compare': { ...read, path: '/api/runs/compare?a={fid}&b={fid}' },
  'GET /readyz': { own: everybody },
  'GET /api/runs/{fid}/contents/{sha256}': { own: nothingThere, foreign: nothingThere, path: `/api/runs/{fid}/contents/${'ab'.repeat(32)}` },
  'GET /api/contents': { own: operators },
  'GET /metrics': { own: everybody },
  'GET /openapi.json': { own: everybody },
  'GET /llms.txt': { own: everybody },
  'POST /api/auth/login': {
    own: { nobody: 'unsigned', viewer: 'unsigned', user: 'unsigned', operator: 'unsigned' },
    body: { login: 'nobody', password: 'wrong' },
  },
  'GET /api/auth/providers': { own: everybody },
  'GET /api/auth/sign-in/{provider}': { own: unknown, path: '/api/auth/sign-in/github' },
  'GET /api/auth/sign-in/{provider}/callback': { own: unknown, path: '/api/auth/sign-in/github/callback' },
  'POST /api/auth/token': { own: signedIn, body: { grant_type: 'session' } },
  'POST /api/auth/revoke': { own: everybody, body: { token: 'none' } },
  'POST /auth/revoke': { own: everybody, body: { token: 'none' } },
  'POST /api/auth/ticket': { own: signedIn },
  'GET /.well-known/jwks.json': { own: everybody },
  'POST /api/auth/signing-keys/replace': { own: operators },
  'GET /api/auth/me': { own: signedIn },
  'GET /api/auth/sessions': { own: signedIn },
  'DELETE /api/auth/sessions/{id}': {
    own: { ...signedIn, viewer: 'unknown', user: 'unknown', operator: 'unknown' },
    path: '/api/auth/sessions/0123456789abcdef',
  },
  'POST /api/auth/password': { own: signedIn, body: { current: 'x', new: 'y' } },
  'POST /api/auth/logout': { own: signedIn },
  'GET /api/delay': { own: signedIn },
  'GET /api/operations': { own: operators },
  'GET /api/users': { own: operators },
  'GET /api/auth/sign-ins': { own: signedIn },
  'DELETE /api/auth/sign-ins/{id}': { own: { ...signedIn, viewer: 'unknown', user: 'unknown', operator: 'unknown' }, path: '/api/auth/sign-ins/none' },
  'POST /api/users': { own: operators, body: {} },
  'PATCH /api/users/{user}': { own: { ...operators, operator: 'unknown' }, path: '/api/users/nobody', body: {} },
  'GET /api/keys': { own: signedIn },
  'POST /api/keys': { own: signedIn, body: { name: 'more' } },
  'DELETE /api/keys/{id}': { own: { ...signedIn, viewer: 'unknown', user: 'unknown', operator: 'unknown' }, path: '/api/keys/none' },
  'GET /api/flows': { own: signedIn },
  'GET /api/flows/{name}': { own: signedIn, path: '/api/flows/hello' },
  'GET /api/runs': { own: signedIn },
  'POST /api/runs': { own: users, body: { flow: 'hello', inputs: { name: 'Ann' } } },
  'POST /api/runs/import': { own: users, body: {} },
  'GET /api/runs/export': { own: signedIn },
  'GET /api/runs/{fid}/export': read,
  'GET /api/runs/{fid}/report': read,
  'POST /api/runs/bulk': { own: users, body: { action: 'cancel', fids: ['0123456789abcdef01234567'] } },
  'GET /api/runs/{fid}': read,
  'DELETE /api/runs/{fid}': { own: users, foreign: foreignWrite },
  'POST /api/runs/{fid}/restore': { own: users, foreign: foreignWrite },
  'POST /api/runs/{fid}/pause': write,
  'POST /api/runs/{fid}/resume': write,
  'POST /api/runs/{fid}/cancel': write,
  'POST /api/runs/{fid}/retry': write,
  'GET /api/runs/{fid}/events': read,
  'GET /api/runs/{fid}/events/{position}': { own: nothingThere, foreign: nothingThere, path: '/api/runs/{fid}/events/1-1' },
  'GET /api/locks': { own: signedIn },
  'GET /api/runs/{fid}/locks': read,
  'GET /api/runs/{fid}/locks/{lid}': read,
  'POST /api/runs/{fid}/locks/{lid}': { ...write, body: { answer: { go: true } } },
  'POST /api/uploads': { own: users },
  'GET /api/uploads': { own: users },
  'GET /api/uploads/{id}': { own: { ...users, user: 'unknown', operator: 'unknown' }, path: UNKNOWN_UPLOAD },
  'PATCH /api/uploads/{id}': { own: { ...users, user: 'unknown', operator: 'unknown' }, path: UNKNOWN_UPLOAD },
  'DELETE /api/uploads/{id}': { own: { ...users, user: 'unknown', operator: 'unknown' }, path: UNKNOWN_UPLOAD },
  'GET /api/runs/{fid}/files': read,
  'GET /api/runs/{fid}/files/{side}': { ...read, path: '/api/runs/{fid}/files/out' },
  'GET /api/runs/{fid}/files/{side}/{*}': { ...read, path: '/api/runs/{fid}/files/out/given.txt' },
  'PUT /api/runs/{fid}/files/{side}/{*}': { own: users, foreign: foreignWrite, bytes: 'x', path: '/api/runs/{fid}/files/out/made.txt' },
  'DELETE /api/runs/{fid}/files/{side}/{*}': { own: users, foreign: foreignWrite, path: '/api/runs/{fid}/files/out/made.txt' },
  'GET /api/schedules': { own: signedIn },
  'POST /api/schedules': { own: users, body: { flow: 'ask', every_s: 3600 } },
  'GET /api/schedules/{id}': { own: { ...signedIn, viewer: 'unknown', user: 'unknown' }, path: FOREIGN_SCHEDULE },
  'DELETE /api/schedules/{id}': { own: { ...users, user: 'unknown', operator: 'unknown' }, path: '/api/schedules/nothing' },
  'POST /api/schedules/{id}/pause': { own: { ...users, user: 'unknown' }, path: `${FOREIGN_SCHEDULE}/pause` },
  'POST /api/schedules/{id}/resume': { own: { ...users, user: 'unknown' }, path: `${FOREIGN_SCHEDULE}/resume` },
  'POST /api/schedules/{id}/trigger': { own: { ...users, user: 'unknown' }, path: `${FOREIGN_SCHEDULE}/trigger` },
  'POST /api/session/new': { own: users, body: {} },
  'POST /api/session/import': { own: users, body: { messages: [] } },
  'GET /api/session': session('/api/session'),
  'GET /api/session/status': session('/api/session/status'),
  'GET /api/session/usage': session('/api/session/usage'),
  'GET /api/session/export': session('/api/session/export'),
  'GET /api/session/draft': session('/api/session/draft'),
  'GET /api/session/files': session('/api/session/files'),
  'GET /api/session/file': {
    own: { ...signedIn, viewer: 'unknown', user: 'unknown', operator: 'unknown' },
    path: '/api/session/file?session_id={sid}&path=none',
  },
  'PUT /api/session/file': { ...session('', {}), bytes: 'x', path: '/api/session/file?session_id={sid}&path=made.txt' },
  'DELETE /api/session/file': { ...session('', {}), path: '/api/session/file?session_id={sid}&path=none' },
  'GET /api/sessions': { own: signedIn },
  'GET /api/sessions/search': { own: signedIn },
  'POST /api/session/retry': session('', {}),
  'POST /api/session/undo': session('', {}),
  'POST /api/session/redo': session('', {}),
  'POST /api/session/truncate': session('', { keep_count: 0 }),
  'POST /api/session/clear': session('', {}),
  'POST /api/session/rename': session('', { title: 'x' }),
  'POST /api/session/pin': session('', {}),
  'POST /api/session/archive': session('', {}),
  'POST /api/session/move': session('', { project_id: 'p' }),
  'POST /api/session/update': session('', { model: 'm' }),
  'POST /api/session/draft': session('', { text: 'x' }),
  'POST /api/session/branch': session('', {}),
  'POST /api/session/duplicate': session('', {}),
  // Idempotent: what is not there, or not one's own, is told as gone.
  'POST /api/session/delete': { own: users, body: { session_id: '0123456789ab' } },
  'POST /api/chat/start': { ...session('', { message: 'hi' }) },
  'POST /api/session/compress': session('', {}),
  'POST /api/session/compress/start': session('', {}),
  'GET /api/session/compress/status': session('/api/session/compress/status'),
  'GET /api/chat/queue': session('/api/chat/queue'),
  'POST /api/chat/queue': session('', { message: 'then' }),
  'POST /api/chat/steer': session('', { text: 'x' }),
  'GET /api/chat/stream': { own: { ...signedIn, viewer: 'unknown', user: 'unknown', operator: 'unknown' }, path: '/api/chat/stream?stream_id=x' },
  'GET /api/chat/cancel': { own: UNKNOWN_STREAM, path: '/api/chat/cancel?stream_id=x' },
  'POST /api/chat/cancel': { own: UNKNOWN_STREAM, body: { stream_id: 'x' } },
  'GET /api/checkpoints': { own: signedIn },
  'POST /api/checkpoints': checkpoint('write', { body: { session_id: '{sid}' } }),
  'GET /api/checkpoints/{id}': checkpoint('read', { path: '/api/checkpoints/{cid}' }),
  'PATCH /api/checkpoints/{id}': checkpoint('write', { path: '/api/checkpoints/{cid}', body: { description: 'x' } }),
  'GET /api/checkpoints/{id}/file': checkpoint('read', { path: '/api/checkpoints/{cid}/file?path=.session/conversation-00000000.jsonl' }),
  'GET /api/checkpoints/{id}/export': checkpoint('read', { path: '/api/checkpoints/{cid}/export' }),
  'GET /api/checkpoints/{id}/integrity': checkpoint('read', { path: '/api/checkpoints/{cid}/integrity' }),
  'POST /api/checkpoints/{id}/restore': checkpoint('write', { path: '/api/checkpoints/{cid}/restore', body: {} }),
  'POST /api/checkpoints/{id}/lock': checkpoint('write', { path: '/api/checkpoints/{cid}/lock', body: {} }),
  'POST /api/checkpoints/{id}/unlock': checkpoint('write', { path: '/api/checkpoints/{cid}/unlock', body: {} }),
  'GET /api/checkpoints/tree': { own: signedIn, path: '/api/checkpoints/tree?session_id={sid}' },
  'GET /api/checkpoints/compare': checkpoint('read', { path: '/api/checkpoints/compare?a={cid}&b={cid}' }),
  'POST /api/checkpoints/merge': checkpoint('write', { body: { ours: '{cid}', theirs: '{cid}', strategy: 'ours' } }),
  'GET /api/checkpoints/auto': session('/api/checkpoints/auto'),
  'POST /api/checkpoints/auto': checkpoint('write', { body: { session_id: '{sid}', interval_s: null } }),
  'POST /api/checkpoints/import': { own: users, body: {} },
  'GET /api/checkpoints/totals': { own: signedIn },
  'POST /api/checkpoints/validate': { own: operators, body: {} },
  'POST /api/checkpoints/repair': { own: operators, body: {} },
  'POST /api/checkpoints/gc': { own: operators, body: {} },
  'POST /api/checkpoints/cleanup': { own: operators, body: {} },
  'DELETE /api/checkpoints/{id}': checkpoint('write', { path: '/api/checkpoints/{cid}' }),
  'GET /api/insights': { own: signedIn },
  'GET /api/audit': { own: operators },
  'GET /api/audit/export': { own: operators },
  'GET /api/views': { own: signedIn },
  'POST /api/views': { own: { ...users, viewer: 'forbidden' }, body: { name: 'x', search: {}, shared: true } },
  'DELETE /api/views/{id}': { own: nothingThere, path: '/api/views/none' },
  'GET /api/budgets': { own: operators },
  'PUT /api/budgets/{id}': { own: operators, path: '/api/budgets/some', body: {} },
  'DELETE /api/budgets/{id}': { own: { ...operators, operator: 'unknown' }, path: '/api/budgets/none' },
  'GET /api/webhooks': { own: users },
  'POST /api/webhooks': { own: users, body: { url: 'https://example.com/', events: ['run.error'] } },
  'GET /api/webhooks/{id}': { own: { ...users, user: 'unknown' }, path: FOREIGN_WEBHOOK },
  'PATCH /api/webhooks/{id}': { own: { ...users, user: 'unknown' }, path: FOREIGN_WEBHOOK, body: { bodies: true } },
  'POST /api/webhooks/{id}/secret': { own: { ...users, user: 'unknown' }, path: `${FOREIGN_WEBHOOK}/secret` },
  'DELETE /api/webhooks/{id}': { own: { ...users, user: 'unknown', operator: 'unknown' }, path: '/api/webhooks/none' },
  'POST /api/webhooks/{id}/test': { own: { ...users, user: 'unknown' }, path: `${FOREIGN_WEBHOOK}/test` },
  'GET /api/webhooks/{id}/deliveries': { own: { ...users, user: 'unknown' }, path: `${FOREIGN_WEBHOOK}/deliveries` },
  'POST /api/webhooks/{id}/deliveries/{notice}/resend': {
    own: { ...users, user: 'unknown', operator: 'unknown' },
    path: `${FOREIGN_WEBHOOK}/deliveries/none/resend`,
  },
  'GET /api/dead': { own: operators },
  'POST /api/dead/{id}/retry': { own: { ...operators, operator: 'unknown' }, path: '/api/dead/999/retry' },
  'DELETE /api/dead/{id}': { own: { ...operators, operator: 'unknown' }, path: '/api/dead/999' },
}

let at: TestPanel
const people = new Map<Role, Awaited<ReturnType<TestPanel['user']>>>()
const runs = new Map<Role | 'stranger', { readonly fid: string; readonly lid: string }>()
const sessions = new Map<Role | 'stranger', string>()
const checkpoints = new Map<Role | 'stranger', string>()

beforeAll(async () => {
  at = await openTestPanel()
  for (const role of ROLES) {
    const person = await at.user(role)
    people.set(role, person)
    runs.set(role, await at.asking(person.name))
    sessions.set(role, await makeSession(person.name))
  }
  sessions.set('stranger', await makeSession('stranger'))
  for (const [whose, id] of sessions) checkpoints.set(whose, (await at.checkpoints.create(id)).id)
  runs.set('stranger', await at.asking((await at.user('user')).name))
  const timing = { everyMs: 3_600_000 }
  await at.schedules.create({ id: 'of-a-stranger', flow: 'ask', inputs: {}, user: (await at.user('user')).name, timing })
  const about = {
    url: 'https://example.com/',
    user: 'a-stranger',
    runsOf: 'a-stranger',
    flow: null,
    events: ['run.error'] as const,
    bodies: false,
    paused: { at: 1, because: 'asked' } as const,
  }
  await at.store.webhooks.create({ ...about, id: 'of-a-stranger', secret: '', createdAt: 1, failingSince: null })
  const files = new FileFolder(join(at.folder, 'uploads'))
  for (const { fid } of runs.values()) await files.write(fid, 'out/given.txt', 'x')
})
afterAll(async () => {
  await at.close()
  await closeTestParts()
})

async function makeSession(user: string): Promise<string> {
  const id = randomBytes(6).toString('hex')
  await at.store.sessions.create({ id, user, at: 1, messages: [{ id: 'm1', role: 'user', content: 'hi' }] })
  return id
}

async function ask(route: string, who: Who, whose: 'own' | 'foreign'): Promise<Verdict> {
  const rule = RULES[route]
  const [method = '', template = ''] = route.split(' ')
  const { fid, lid } = must(runs.get(whose === 'own' && who !== 'nobody' ? who : 'stranger'), 'the run')
  const sid = must(sessions.get(whose === 'own' && who !== 'nobody' ? who : 'stranger'), 'the session')
  const cid = must(checkpoints.get(whose === 'own' && who !== 'nobody' ? who : 'stranger'), 'the checkpoint')
  const path = (rule?.path ?? template).replaceAll('{fid}', fid).replace('{lid}', lid).replace('{sid}', sid).replaceAll('{cid}', cid)
  const answer = await fetch(at.url + path, {
    method,
    headers: {
      ...(who !== 'nobody' && people.get(who)?.headers),
      ...(rule?.body && { 'content-type': 'application/json' }),
      ...(rule?.bytes && { 'content-type': 'application/octet-stream' }),
    },
    ...(rule?.body && { body: JSON.stringify(rule.body).replace('{sid}', sid).replaceAll('{cid}', cid) }),
    ...(rule?.bytes && { body: rule.bytes }),
  })
  await answer.text()
  expect(answer.status, route).toBeLessThan(500)
  return VERDICTS[answer.status] ?? 'yes'
}

describe('permissions', () => {
  test('the table has every route', () => {
    expect(servedRoutes(at.panel).toSorted()).toEqual(Object.keys(RULES).toSorted())
  })

  for (const who of ['nobody', ...ROLES] as const) {
    test(`${who} does what the table says, no more and no less`, async () => {
      const found: Record<string, unknown> = {}
      const wanted: Record<string, unknown> = {}
      for (const [route, rule] of Object.entries(RULES)) {
        found[route] = { own: await ask(route, who, 'own'), ...(rule.foreign && { foreign: await ask(route, who, 'foreign') }) }
        wanted[route] = { own: rule.own[who], ...(rule.foreign && { foreign: rule.foreign[who] }) }
      }
      expect(found).toEqual(wanted)
    })
  }

  test('a list shows a user their own runs, an operator all', async () => {
    const list = async (role: Role, query = ''): Promise<string[]> => {
      const answer = await fetch(`${at.url}/api/runs${query}`, { headers: people.get(role)?.headers ?? {} })
      return ((await answer.json()) as { items: { user: string }[] }).items.map((run) => run.user)
    }
    const me = people.get('user')?.name ?? ''
    expect(new Set(await list('user'))).toEqual(new Set([me]))
    expect(await list('user', `?user=${people.get('operator')?.name ?? ''}`)).toEqual([])
    expect(new Set(await list('operator')).size).toBeGreaterThan(2)
    expect(new Set(await list('operator', `?user=${me}`))).toEqual(new Set([me]))
  })
})
