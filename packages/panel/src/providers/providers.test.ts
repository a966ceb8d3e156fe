/*
 * Goal: people sign in with GitHub or an OpenID provider and get the account that is theirs, and nobody else's, whatever is changed on the way.
 * Method: a browser without a page goes the whole way, over HTTP: a panel, a stand-in that speaks GitHub's endpoints, a real OpenID provider in a process of its own.
 */
import { freePort, startGitHub, type GitHubPerson, type GitHubServer } from '@koco/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ensureAdmin } from '../index.ts'
import { Browser } from '../testing/browser.ts'
import { startOidc, type OidcServer } from '../testing/oidc.ts'
import { closeTestParts, openTestPanel, type TestPanel, type TestPanelOptions } from '../testing/test-panel.ts'

const own = (email: string) => [
  { email: 'old@example.com', primary: false, verified: true },
  { email, primary: true, verified: true },
]
const octocat: GitHubPerson = { id: 583231, login: 'Octo-Cat', emails: own('octo@people.example') }

let github: GitHubServer
let at: TestPanel
let browser: Browser
let nowMs = Date.now()
let port: number

async function open(settings: TestPanelOptions['settings'] = {}): Promise<void> {
  at = await openTestPanel({
    clock: () => nowMs,
    settings: {
      publicUrl: `http://127.0.0.1:${port}`,
      github: { clientId: github.clientId, clientSecret: github.clientSecret, url: github.url, apiUrl: github.url },
      ...settings,
    },
    port,
  })
}

beforeAll(async () => {
  github = await startGitHub()
})
beforeEach(async () => {
  nowMs = Date.now()
  port = await freePort()
  browser = new Browser()
  await open()
})
afterEach(() => at.close())
afterAll(async () => {
  await github.stop()
  await closeTestParts()
})

const start = (query = ''): string => `${at.url}/api/auth/sign-in/github${query}`
async function me(who = browser): Promise<{ name: string; email: string; role: string; id: string } | null> {
  const answer = await who.once(`${at.url}/api/auth/me`)
  return answer.status === 200 ? ((await answer.json()) as { user: { name: string; email: string; role: string; id: string } }).user : null
}
async function signIn(person: GitHubPerson, who = new Browser()): Promise<Browser> {
  github.signInAs(person)
  await who.go(start())
  return who
}
/** Begins the sign-in and stops before the panel hears of it: the address that the provider sends the browser to. */
async function callbackOf(person: GitHubPerson, who = browser): Promise<URL> {
  github.signInAs(person)
  const begun = await who.once(start())
  const sent = await who.once(begun.headers.get('location') ?? '')
  return new URL(sent.headers.get('location') ?? '')
}
const problemAt = ({ url }: { readonly url: string }): string | null => new URL(url).searchParams.get('problem')

describe('GitHub', () => {
  test('the first sign-in makes an account, the next ones find it by its number, whatever it is called by then', async () => {
    expect(await (await fetch(`${at.url}/api/auth/providers`)).json()).toEqual({
      password: true,
      providers: [{ id: 'github', name: 'GitHub', start: '/api/auth/sign-in/github' }],
    })
    github.signInAs(octocat)
    const landed = await browser.go(start('?next=/runs%3Fstatus=error'))
    expect(landed.url).toBe(`${at.url}/runs?status=error`)
    const first = await me()
    expect(first).toMatchObject({ name: 'octo-cat', email: 'octo@people.example', role: 'viewer' })
    const stored = await at.admin.users.get(first?.id ?? '')
    nowMs += 60_000
    const later = await signIn({ ...octocat, login: 'renamed', emails: own('new@people.example') })
    expect(await me(later)).toEqual(first)
    expect((await at.admin.users.get(first?.id ?? ''))?.lastLoginAt).toBe((stored?.lastLoginAt ?? 0) + 60)
    expect(await at.admin.identities.get('github', '583231')).toMatchObject({ login: 'renamed', email: 'new@people.example' })
    // Whoever takes the old name there is somebody else here.
    const other = await signIn({ id: 99, login: 'octo-cat', emails: own('thief@people.example') })
    expect(await me(other)).toMatchObject({ name: 'octo-cat-99', email: 'thief@people.example' })
  })

  test('the request has a state and an S256 challenge that are new each time, and the secrets stay in the panel', async () => {
    github.signInAs(octocat)
    const seen = new Set<string>()
    for (let n = 0; n < 3; n++) {
      const begun = await browser.once(start())
      const query = new URL(begun.headers.get('location') ?? '').searchParams
      expect(query.get('code_challenge_method')).toBe('S256')
      expect(query.get('redirect_uri')).toBe(`${at.url}/api/auth/sign-in/github/callback`)
      const line = begun.headers.getSetCookie()[0] ?? ''
      expect(line).toMatch(/^koco-sign-in=[\w-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/)
      seen.add(query.get('state') ?? '').add(query.get('code_challenge') ?? '')
      expect(line).not.toContain(query.get('state'))
    }
    expect(seen.size).toBe(6)
  })

  test('an answer of another state, another browser, a second time, too late or after a change is refused', async () => {
    const changed = await callbackOf(octocat)
    changed.searchParams.set('state', 'f'.repeat(64))
    expect(problemAt(await browser.go(changed.href))).toBe('sign_in_failed')
    const mine = await callbackOf(octocat)
    // The victim's browser began nothing: signing them in to the attacker's account fails.
    expect(problemAt(await new Browser().go(mine.href))).toBe('sign_in_failed')
    const stale = await callbackOf(octocat)
    nowMs += 601_000
    expect(problemAt(await browser.go(stale.href))).toBe('sign_in_failed')
    const once = await callbackOf(octocat)
    expect(problemAt(await browser.go(once.href))).toBeNull()
    expect(problemAt(await browser.go(once.href))).toBe('sign_in_failed')
    const forged = await callbackOf(octocat, new Browser())
    expect(problemAt(await browser.go(forged.href))).toBe('sign_in_failed')
  })

  test('a program is told the problem itself, a browser on the sign-in page', async () => {
    const told = await fetch(`${at.url}/api/auth/sign-in/github/callback?code=x&state=y`)
    expect(told.status).toBe(401)
    expect(await told.json()).toMatchObject({ code: 'sign_in_failed' })
    github.signInAs(null)
    expect(problemAt(await browser.go(start()))).toBe('sign_in_denied')
    expect((await fetch(`${at.url}/api/auth/sign-in/oidc`)).status).toBe(404)
    expect((await fetch(`${at.url}/api/auth/sign-in/myspace`)).status).toBe(400)
  })

  test('only a verified primary address counts, and only a number is an id', async () => {
    const bad = [[{ email: 'a@b.example', primary: true, verified: false }], [{ email: 'a@b.example', primary: false, verified: true }], []] as const
    for (const [n, emails] of bad.entries()) {
      github.signInAs({ id: 100 + n, login: `ann${n}`, emails })
      expect(problemAt(await browser.go(start()))).toBe('no_verified_address')
    }
    github.signInAs({ id: 0, login: 'zero', emails: own('zero@people.example') })
    expect(problemAt(await browser.go(start()))).toBe('sign_in_failed')
    expect(await me()).toBeNull()
  })

  test('an address that already exists is not taken over; its owner connects the accounts', async () => {
    await ensureAdmin({ admin: at.admin, email: 'octo@people.example', password: 'correct horse', makePassword: () => '', clock: () => nowMs })
    github.signInAs(octocat)
    expect(problemAt(await browser.go(start()))).toBe('user_exists')
    const told = await fetch((await callbackOf(octocat)).href, { headers: { cookie: browser.cookie(at.url) } })
    expect(told.status).toBe(409)
    expect(await told.json()).toMatchObject({ detail: expect.stringContaining('already exists') as string })
    expect((await browser.once(start('?connect=1'))).status).toBe(401)
    await browser.once(`${at.url}/api/auth/login`, { method: 'POST', body: new URLSearchParams({ login: 'admin', password: 'correct horse' }) })
    expect((await browser.go(start('?connect=1&next=/settings'))).url).toBe(`${at.url}/settings`)
    expect(await me(await signIn(octocat))).toMatchObject({ name: 'admin', role: 'operator' })
    // It is theirs now; nobody else can have it connected, and they can have no second one.
    const stranger = await signIn({ id: 8, login: 'eight', emails: own('eight@people.example') })
    github.signInAs(octocat)
    expect(problemAt(await stranger.go(start('?connect=1')))).toBe('identity_exists')
    github.signInAs({ id: 9, login: 'nine', emails: own('nine@people.example') })
    expect(problemAt(await browser.go(start('?connect=1')))).toBe('identity_exists')
  })

  test('many first sign-ins at once make one account', async () => {
    github.signInAs(octocat)
    const people = await Promise.all(Array.from({ length: 6 }, () => signIn(octocat)))
    const ids = new Set(await Promise.all(people.map(async (who) => (await me(who))?.id)))
    expect(ids.size).toBe(1)
    expect(ids.has(undefined)).toBe(false)
    expect(await at.admin.users.list()).toHaveLength(1)
  })

  test('an account that is off does not come in; without sign-up nobody new does; a user may be what newcomers become', async () => {
    await signIn(octocat)
    const user = await at.admin.users.find('octo-cat')
    await at.admin.users.update(user?.id ?? '', { active: false })
    github.signInAs(octocat)
    expect(problemAt(await browser.go(start()))).toBe('account_off')
    await at.close()
    await open({ signUp: 'closed' })
    expect(problemAt(await browser.go(start()))).toBe('sign_up_closed')
    await at.close()
    await open({ signUp: 'user' })
    await browser.go(start())
    expect(await me()).toMatchObject({ role: 'user' })
  })

  test('a provider that is away is an outage, not a wrong password', async () => {
    await at.close()
    const nowhere = `http://127.0.0.1:${await freePort()}`
    await open({ github: { clientId: github.clientId, clientSecret: github.clientSecret, url: github.url, apiUrl: nowhere } })
    github.signInAs(octocat)
    expect(problemAt(await browser.go(start()))).toBe('provider_unavailable')
  })
})

describe('an OpenID provider', () => {
  let oidc: OidcServer
  beforeAll(async () => {
    oidc = await startOidc(await freePort(), await redirectUri())
  })
  afterAll(() => oidc.stop())

  let fixedPort = 0
  async function redirectUri(): Promise<string> {
    fixedPort = await freePort()
    return `http://127.0.0.1:${fixedPort}/api/auth/sign-in/oidc/callback`
  }

  async function openWithOidc(settings: TestPanelOptions['settings'] = {}): Promise<void> {
    await at.close()
    port = fixedPort
    await open({ github: null, oidc: { issuer: oidc.issuer, clientId: oidc.clientId, clientSecret: oidc.clientSecret, name: 'Example SSO' }, ...settings })
  }

  /** Signs in at the provider's own pages and allows the client. */
  async function through(name: string, who = browser): Promise<Awaited<ReturnType<Browser['go']>>> {
    const login = await who.go(`${at.url}/api/auth/sign-in/oidc`)
    const consent = await who.submit(login, { login: name, password: 'anything' })
    return who.submit(consent, {})
  }

  test('is found by discovery and vouches for people, the second time without a new account', async () => {
    await openWithOidc()
    expect(await (await fetch(`${at.url}/api/auth/providers`)).json()).toMatchObject({ providers: [{ id: 'oidc', name: 'Example SSO' }] })
    expect((await through('Ada.Lovelace')).url).toBe(`${at.url}/`)
    const first = await me()
    expect(first).toMatchObject({ name: 'ada.lovelace', email: 'Ada.Lovelace@people.example' })
    expect(await at.admin.identities.get(oidc.issuer, 'Ada.Lovelace')).toMatchObject({ userId: first?.id })
    const again = new Browser()
    await through('Ada.Lovelace', again)
    expect(await me(again)).toEqual(first)
  })

  test('an address that it has not checked, or does not know, does not come in', async () => {
    await openWithOidc()
    for (const name of ['unverified', 'nobody']) expect(problemAt(await through(name, new Browser())), name).toBe('no_verified_address')
  })

  test('a wrong secret, a changed state and a provider that is away are told apart', async () => {
    await openWithOidc()
    const begun = await browser.once(`${at.url}/api/auth/sign-in/oidc`)
    expect(new URL(begun.headers.get('location') ?? '').searchParams.get('code_challenge_method')).toBe('S256')
    expect(problemAt(await browser.go(`${at.url}/api/auth/sign-in/oidc/callback?code=x&state=y&iss=${oidc.issuer}`))).toBe('sign_in_failed')
    await openWithOidc({ oidc: { issuer: oidc.issuer, clientId: 'koco', clientSecret: 'another secret', name: 'SSO' } })
    expect(problemAt(await through('eve', new Browser()))).toBe('sign_in_failed')
    await openWithOidc({ oidc: { issuer: `http://127.0.0.1:${await freePort()}`, clientId: 'koco', clientSecret: 'x', name: 'SSO' } })
    const away = await fetch(`${at.url}/api/auth/sign-in/oidc`)
    expect(away.status).toBe(503)
    expect(await away.json()).toMatchObject({ code: 'provider_unavailable' })
  })
})
