/*
 * Goal: only the right password signs in, guessing is slow and tells nothing, a session ends when it should, other sites can do nothing in a person's name.
 * Method: HTTP against a listening panel with a clock in the test's hand.
 */
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ensureAdmin } from '../index.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

const PASSWORD = 'correct horse battery'
let at: TestPanel
let nowMs = Date.now()

const json = { 'content-type': 'application/json' }

async function open(options: Parameters<typeof openTestPanel>[0] = {}): Promise<void> {
  at = await openTestPanel({ clock: () => nowMs, ...options })
  await ensureAdmin({ admin: at.admin, email: 'admin@example.com', password: PASSWORD, makePassword: () => '', clock: () => nowMs })
}

beforeEach(async () => {
  nowMs = Date.now()
  await open()
})
afterEach(() => at.close())
afterAll(closeTestParts)

const login = (name: string, password: string): Promise<Response> =>
  fetch(`${at.url}/api/auth/login`, { method: 'POST', headers: json, body: JSON.stringify({ login: name, password }) })

async function signedIn(): Promise<{ readonly cookie: string; readonly line: string }> {
  const answer = await login('admin', PASSWORD)
  expect(answer.status).toBe(200)
  const line = answer.headers.getSetCookie()[0] ?? ''
  return { cookie: line.split(';')[0] ?? '', line }
}

const me = async (cookie: string): Promise<number> => (await fetch(`${at.url}/api/auth/me`, { headers: { cookie } })).status

describe('signing in', () => {
  test('by name or address, with a cookie that scripts cannot read and whose secret is not stored', async () => {
    const { cookie, line } = await signedIn()
    expect(line).toMatch(/^koco=[0-9a-f]{64}; .*HttpOnly; SameSite=Lax/)
    expect(line).not.toContain('Secure')
    const answer = await fetch(`${at.url}/api/auth/me`, { headers: { cookie } })
    expect(await answer.json()).toEqual({
      user: { id: expect.any(String) as string, name: 'admin', email: 'admin@example.com', role: 'operator' },
      via: 'session',
      auth: 'on',
      version: '0.0.0-test',
    })
    expect((await login('ADMIN@example.com', PASSWORD)).status).toBe(200)
    const user = await at.admin.users.find('admin')
    expect(user?.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    const sessions = await at.admin.sessions.list(user?.id ?? '')
    expect(sessions).toHaveLength(2)
    for (const session of sessions) expect(cookie).not.toContain(session.idHash)
  })

  test('on https the cookie is bound to this host', async () => {
    await at.close()
    await open({ settings: { publicUrl: 'https://koco.example.com' } })
    expect((await signedIn()).line).toMatch(/^__Host-koco=.*Path=\/.*HttpOnly; Secure; SameSite=Lax/)
  })

  test('wrong password, unknown user and inactive user get one and the same answer', async () => {
    const gone = await at.user('user')
    await at.admin.users.update(gone.id, { active: false })
    const answers = await Promise.all([login('admin', 'wrong'), login('nobody', 'wrong'), login(gone.name, 'wrong')])
    const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as { request_id: string }[]
    for (const body of bodies) expect({ ...body, request_id: '' }).toEqual({ ...bodies[0], request_id: '' })
    expect(answers.map((answer) => answer.status)).toEqual([401, 401, 401])
  })

  test('after five failures one must wait, longer and longer, and the right password waits too', async () => {
    for (let n = 0; n < 5; n++) expect((await login('admin', 'wrong')).status).toBe(401)
    const refused = await login('admin', PASSWORD)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await refused.json()).toMatchObject({ code: 'too_many_logins' })
    nowMs += 1_000
    expect((await login('admin', 'wrong')).status).toBe(401)
    expect((await login('admin', PASSWORD)).headers.get('retry-after')).toBe('2')
    nowMs += 2_000
    expect((await login('admin', PASSWORD)).status).toBe(200)
  })

  test('guesses sent all at once do not pass together', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => login('admin', 'wrong')))
    expect(answers.filter((answer) => answer.status === 401)).toHaveLength(5)
    expect(answers.filter((answer) => answer.status === 429)).toHaveLength(7)
  })

  test('a form is sent on, to a path of this site only', async () => {
    const form = async (next: string): Promise<Response> =>
      fetch(`${at.url}/api/auth/login`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ login: 'admin', password: PASSWORD, next }) })
    expect((await form('/runs?status=error')).headers.get('location')).toBe('/runs?status=error')
    for (const evil of ['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)', '']) {
      const answer = await form(evil)
      expect(answer.status).toBe(303)
      expect(answer.headers.get('location')).toBe('/')
    }
  })
})

describe('a session', () => {
  test('ends at sign-out, in this process at once', async () => {
    const { cookie } = await signedIn()
    expect(await me(cookie)).toBe(200)
    const out = await fetch(`${at.url}/api/auth/logout`, { method: 'POST', headers: { cookie } })
    expect(out.status).toBe(204)
    expect(out.headers.getSetCookie()[0]).toMatch(/^koco=;/)
    expect(await me(cookie)).toBe(401)
  })

  test('ends after 12 idle hours, and after 7 days in any case', async () => {
    const { cookie } = await signedIn()
    nowMs += 11.9 * 3_600_000
    expect(await me(cookie)).toBe(200)
    nowMs += 12.1 * 3_600_000
    expect(await me(cookie)).toBe(401)
    const busy = (await signedIn()).cookie
    for (let h = 0; h < 7 * 24 - 10; h += 10) {
      nowMs += 10 * 3_600_000
      expect(await me(busy)).toBe(200)
    }
    nowMs += 10 * 3_600_000
    expect(await me(busy)).toBe(401)
  })

  test('is listed and can be ended from another', async () => {
    const [first, second] = [await signedIn(), await signedIn()]
    const list = async (cookie: string): Promise<{ id: string; current: boolean }[]> =>
      ((await (await fetch(`${at.url}/api/auth/sessions`, { headers: { cookie } })).json()) as { items: { id: string; current: boolean }[] }).items
    const other = (await list(first.cookie)).find((session) => !session.current)
    await me(second.cookie)
    const ended = await fetch(`${at.url}/api/auth/sessions/${other?.id ?? ''}`, { method: 'DELETE', headers: { cookie: first.cookie } })
    expect(ended.status).toBe(204)
    expect(await me(second.cookie)).toBe(401)
    expect(await list(first.cookie)).toHaveLength(1)
  })

  test('a new password ends all others, and a weak one is refused', async () => {
    const [mine, other] = [await signedIn(), await signedIn()]
    const change = (to: string): Promise<Response> =>
      fetch(`${at.url}/api/auth/password`, { method: 'POST', headers: { ...json, cookie: mine.cookie }, body: JSON.stringify({ current: PASSWORD, new: to }) })
    expect(await (await change('admin')).json()).toMatchObject({ code: 'weak_password' })
    const changed = await change('another long password')
    expect(changed.status).toBe(204)
    expect(await me(other.cookie)).toBe(401)
    expect(await me(changed.headers.getSetCookie()[0]?.split(';')[0] ?? '')).toBe(200)
  })
})

describe('other sites', () => {
  const post = (headers: Record<string, string>): Promise<Response> => fetch(`${at.url}/api/auth/logout`, { method: 'POST', headers })

  test('cannot act with the cookie of a signed-in person', async () => {
    const { cookie } = await signedIn()
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ] as Record<string, string>[]) {
      const answer = await post({ cookie, ...headers })
      expect(answer.status, JSON.stringify(headers)).toBe(403)
      expect(await answer.json()).toMatchObject({ code: 'cross_site' })
    }
    expect((await post({ cookie, origin: at.url })).status).toBe(204)
  })

  test('a key needs no such check, and a listed origin may call', async () => {
    await at.close()
    await open({ settings: { corsOrigins: ['https://tools.example.com'] } })
    const { headers } = await at.user('user')
    expect((await post({ ...headers, 'sec-fetch-site': 'cross-site' })).status).toBe(204)
    const preflight = await fetch(`${at.url}/api/runs`, {
      method: 'OPTIONS',
      headers: { origin: 'https://tools.example.com', 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://tools.example.com')
    const other = await fetch(`${at.url}/api/runs`, { headers: { ...headers, origin: 'https://tools.example.com.evil.example' } })
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('without sign-in', () => {
  test('everybody is the operator, on loopback names only', async () => {
    await at.close()
    await open({ settings: { auth: 'off' } })
    const answer = await fetch(`${at.url}/api/auth/me`)
    expect(await answer.json()).toMatchObject({ user: { name: 'admin', role: 'operator' }, via: 'off', auth: 'off' })
    const rebound = await at.panel.app.inject({ method: 'GET', url: '/api/runs', headers: { host: 'evil.example' } })
    expect(rebound.json()).toMatchObject({ status: 403, code: 'wrong_host' })
    const cross = await fetch(`${at.url}/api/runs`, { method: 'POST', headers: { ...json, origin: 'https://evil.example' }, body: '{"flow":"hello"}' })
    expect(cross.status).toBe(403)
    await expect(at.panel.listen({ host: '0.0.0.0', port: 0 })).rejects.toMatchObject({ code: 'auth_off_not_loopback' })
  })
})

describe('the first operator', () => {
  test('is made once, with a made password that is shown once', async () => {
    const again = await ensureAdmin({ admin: at.admin, email: 'x@example.com', makePassword: () => 'never used', clock: () => nowMs })
    expect(again).toEqual({ name: 'admin', created: false, madePassword: null })
  })

  test('never has the password "admin"', async () => {
    const other = await openTestPanel()
    const made = ensureAdmin({ admin: other.admin, email: 'a@example.com', password: 'admin', makePassword: () => '', clock: () => nowMs })
    await expect(made).rejects.toMatchObject({ code: 'weak_password' })
    await other.close()
  })
})
