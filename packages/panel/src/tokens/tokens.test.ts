/*
 * Goal: a token is good for its time, for its user and for nothing else; a stolen refresh token is noticed; keys change without anybody being thrown out.
 * Method: HTTP against listening panels with a clock in the test's hand; forged tokens are made with jose.
 */
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, jwtVerify, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSeal } from '../auth/seal.ts'
import { secretHash } from '../auth/secrets.ts'
import { ensureAdmin } from '../index.ts'
import { TEST_SECRET_KEY, closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'
import { createSigningKeys, KEPT_S, PUBLISHED_BEFORE_S, SIGNS_S } from './signing-keys.ts'

type Pair = { readonly access_token: string; readonly refresh_token: string; readonly expires_in: number; readonly refresh_expires_in: number }

const PASSWORD = 'correct horse battery'
const json = { 'content-type': 'application/json' }
let at: TestPanel
let nowMs = Date.now()

beforeEach(async () => {
  nowMs = Date.now()
  at = await openTestPanel({ clock: () => nowMs })
  await ensureAdmin({ admin: at.admin, email: 'admin@example.com', password: PASSWORD, makePassword: () => '', clock: () => nowMs })
})
afterEach(() => at.close())
afterAll(closeTestParts)

const post = (path: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(at.url + path, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) })
async function signIn(): Promise<Pair> {
  const answer = await post('/api/auth/token', { grant_type: 'password', login: 'admin', password: PASSWORD })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  return (await answer.json()) as Pair
}
const refresh = (token: string): Promise<Response> => post('/api/auth/token', { grant_type: 'refresh_token', refresh_token: token })
const me = async (token: string): Promise<number> => (await fetch(`${at.url}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } })).status

describe('an access token', () => {
  test('signs in like a key for 15 minutes, and says who it is for others who read the published keys', async () => {
    const pair = await signIn()
    expect(pair).toMatchObject({ token_type: 'Bearer', expires_in: 900, refresh_expires_in: 604_800 })
    const answer = await fetch(`${at.url}/api/auth/me`, { headers: { authorization: `Bearer ${pair.access_token}` } })
    expect(await answer.json()).toMatchObject({ user: { name: 'admin', role: 'operator' }, via: 'token' })
    const keys = createRemoteJWKSet(new URL(`${at.url}/.well-known/jwks.json`))
    const { payload, protectedHeader } = await jwtVerify(pair.access_token, keys, { algorithms: ['RS256'], audience: 'koco', issuer: 'http://localhost:3370' })
    expect(protectedHeader).toMatchObject({ alg: 'RS256', typ: 'at+jwt' })
    expect(payload).toMatchObject({ name: 'admin', role: 'operator', exp: Math.floor(nowMs / 1000) + 900 })
    nowMs += 899_000
    expect(await me(pair.access_token)).toBe(200)
    nowMs += 1_001
    expect(await me(pair.access_token)).toBe(401)
  })

  test('needs no check of the origin; runs start with it', async () => {
    const { access_token: token } = await signIn()
    const started = await post(
      '/api/runs',
      { flow: 'hello', inputs: { name: 'Ann' } },
      { authorization: `Bearer ${token}`, origin: 'https://elsewhere.example' },
    )
    expect(started.status).toBe(201)
  })

  test('of another algorithm, key, audience, issuer, kind, or changed by one letter, is none', async () => {
    const { access_token: good } = await signIn()
    const payload = decodeJwt(good)
    const header = decodeProtectedHeader(good)
    const stranger = await generateKeyPair('RS256')
    const sign = (claims: object, head: object, key: Parameters<SignJWT['sign']>[0]): Promise<string> =>
      new SignJWT({ ...payload, ...claims }).setProtectedHeader({ ...header, alg: 'RS256', ...head }).sign(key)
    const [head = '', body = '', signature = ''] = good.split('.')
    // The published key as the secret of an HMAC: the classic confusion.
    const { keys } = (await (await fetch(`${at.url}/.well-known/jwks.json`)).json()) as { keys: { n: string }[] }
    const hs256 = Buffer.from(JSON.stringify({ ...header, alg: 'HS256' })).toString('base64url')
    const forged: Record<string, string> = {
      none: new UnsecuredJWT(payload).encode(),
      'none with a header': `${Buffer.from(JSON.stringify({ ...header, alg: 'none' })).toString('base64url')}.${body}.`,
      HS256: `${hs256}.${body}.${createHmac('sha256', keys[0]?.n ?? '')
        .update(`${hs256}.${body}`)
        .digest('base64url')}`,
      'another key': await sign({}, {}, stranger.privateKey),
      'a key that it brings along': await sign({}, { jwk: await exportJWK(stranger.publicKey) }, stranger.privateKey),
      'an unknown kid': await sign({}, { kid: 'nothing' }, stranger.privateKey),
      PS256: await new SignJWT(payload).setProtectedHeader({ ...header, alg: 'PS256' }).sign(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
      'a changed body': `${head}.${Buffer.from(JSON.stringify({ ...payload, role: 'viewer' })).toString('base64url')}.${signature}`,
      'a changed signature': `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      'no signature': `${head}.${body}.`,
      empty: '..',
      long: `${good}${'A'.repeat(8_000)}`,
    }
    expect(await me(good)).toBe(200)
    for (const [name, token] of Object.entries(forged)) expect(await me(token), name).toBe(401)
  })

  test('that the panel signed itself is refused too when a claim is missing, empty or wrong', async () => {
    const { access_token: good } = await signIn()
    const keys = createSigningKeys(at.admin, createSeal(secretHash(TEST_SECRET_KEY), 'signing keys'), () => nowMs)
    const { key, kid } = await keys.current()
    const payload = decodeJwt(good)
    const sign = (claims: object, typ = 'at+jwt'): Promise<string> =>
      new SignJWT({ ...payload, ...claims }).setProtectedHeader({ alg: 'RS256', typ, kid }).sign(key)
    expect(await me(await sign({}))).toBe(200)
    const wrong = [
      { sub: '' },
      { sub: ' ' },
      { sid: '' },
      { jti: '' },
      { iss: 'https://else.example' },
      { aud: 'else' },
      { sid: 'unknown' },
      { sub: 'unknown' },
      { exp: 1 },
    ]
    for (const claims of wrong) expect(await me(await sign(claims)), JSON.stringify(claims)).toBe(401)
    for (const name of ['sub', 'sid', 'jti', 'iss', 'aud', 'exp', 'iat']) expect(await me(await sign({ [name]: undefined })), name).toBe(401)
    expect(await me(await sign({}, 'JWT'))).toBe(401)
  })

  test('ends with the account', async () => {
    const { access_token: token, refresh_token: next } = await signIn()
    const other = await at.user('operator')
    const off = await fetch(`${at.url}/api/users/admin`, { method: 'PATCH', headers: { ...json, ...other.headers }, body: '{"active":false}' })
    expect(off.status).toBe(200)
    expect(await me(token)).toBe(401)
    expect((await refresh(next)).status).toBe(401)
  })
})

describe('a refresh token', () => {
  test('is good one time and for 7 days; each one gives the next', async () => {
    let pair = await signIn()
    for (let day = 0; day < 3; day++) {
      nowMs += 6.9 * 86_400_000
      const answer = await refresh(pair.refresh_token)
      expect(answer.status).toBe(200)
      pair = (await answer.json()) as Pair
      expect(await me(pair.access_token)).toBe(200)
    }
    nowMs += 7 * 86_400_000
    expect(await (await refresh(pair.refresh_token)).json()).toMatchObject({ status: 401, code: 'bad_refresh_token' })
  })

  test('that is shown again ends the whole sign-in, for the thief and for the owner', async () => {
    const stolen = await signIn()
    const owner = (await (await refresh(stolen.refresh_token)).json()) as Pair
    expect(await me(owner.access_token)).toBe(200)
    const thief = await refresh(stolen.refresh_token)
    expect(await thief.json()).toMatchObject({ status: 401, code: 'refresh_token_reused' })
    expect(await me(owner.access_token)).toBe(401)
    expect(await me(stolen.access_token)).toBe(401)
    expect(await (await refresh(owner.refresh_token)).json()).toMatchObject({ code: 'bad_refresh_token' })
    // Another sign-in of the same person goes on.
    expect(await me((await signIn()).access_token)).toBe(200)
  })

  test('of those who show it at once one at most gets tokens', async () => {
    const { refresh_token: token } = await signIn()
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(token)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.every(({ status }) => status === 200 || status === 401)).toBe(true)
  })

  test('is no access token, and what is no token at all is refused', async () => {
    const pair = await signIn()
    expect(await me(pair.refresh_token)).toBe(401)
    for (const wrong of [pair.access_token, 'x', `kocor_${'0'.repeat(64)}`]) expect((await refresh(wrong)).status).toBe(401)
    expect((await post('/api/auth/token', { grant_type: 'client_credentials' })).status).toBe(422)
  })
})

describe('revocation', () => {
  test('by either token, at both addresses, ends the sign-in at once; anything else is answered alike', async () => {
    for (const path of ['/auth/revoke', '/api/auth/revoke']) {
      for (const which of ['access_token', 'refresh_token'] as const) {
        const pair = await signIn()
        expect(await me(pair.access_token)).toBe(200)
        const revoked = await post(path, { token: pair[which] })
        expect([revoked.status, await revoked.json()]).toEqual([200, { revoked: true }])
        expect(await me(pair.access_token)).toBe(401)
        expect((await refresh(pair.refresh_token)).status).toBe(401)
        expect((await post(path, { token: pair[which] })).status).toBe(200)
      }
    }
    expect((await post('/auth/revoke', { token: 'nonsense' })).status).toBe(200)
    expect((await post('/auth/revoke', {})).status).toBe(422)
  })

  test('a person sees the programs that are signed in for them and signs one out; those of others are none of theirs', async () => {
    const { headers } = await at.user('user')
    const begin = async (agent: string) =>
      (await (await post('/api/auth/token', { grant_type: 'session' }, { ...headers, 'user-agent': agent })).json()) as Pair
    const list = async (of: Record<string, string>) =>
      (
        (await (await fetch(`${at.url}/api/auth/sign-ins`, { headers: of })).json()) as {
          items: { id: string; agent: string; used_at: number; current: boolean }[]
        }
      ).items
    const first = await begin('nightly/1.0')
    nowMs += 60_000
    const second = await begin('script/2.0')
    nowMs += 60_000
    const again = (await (await refresh(first.refresh_token)).json()) as Pair
    expect(await list(headers)).toMatchObject([
      { agent: 'nightly/1.0', used_at: Math.floor(nowMs / 1000), current: false },
      { agent: 'script/2.0', used_at: Math.floor(nowMs / 1000) - 60, current: false },
    ])
    const [nightly] = await list({ authorization: `Bearer ${again.access_token}` })
    expect(nightly?.current).toBe(true)
    const end = (of: Record<string, string>) => fetch(`${at.url}/api/auth/sign-ins/${nightly?.id}`, { method: 'DELETE', headers: of })
    const other = await at.user('operator')
    expect(await list(other.headers)).toEqual([])
    expect((await end(other.headers)).status).toBe(404)
    expect((await end(headers)).status).toBe(204)
    expect([await me(again.access_token), (await refresh(again.refresh_token)).status, await me(second.access_token)]).toEqual([401, 401, 200])
    expect((await end(headers)).status).toBe(404)
    nowMs += 8 * 86_400_000
    expect(await list(headers)).toEqual([])
  })

  test('a signed-in browser or a key gets tokens of its own', async () => {
    const { headers } = await at.user('user')
    const answer = await post('/api/auth/token', { grant_type: 'session' }, headers)
    expect(await me(((await answer.json()) as Pair).access_token)).toBe(200)
    expect((await post('/api/auth/token', { grant_type: 'session' })).status).toBe(401)
    const crossed = await post('/api/auth/token', { grant_type: 'session' }, { origin: 'https://evil.example' })
    expect(crossed.status).toBe(403)
  })
})

describe('signing keys', () => {
  const published = async (): Promise<string[]> => {
    const { keys } = (await (await fetch(`${at.url}/.well-known/jwks.json`)).json()) as { keys: Record<string, string>[] }
    for (const key of keys) expect(Object.keys(key).toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
    return keys.map(({ kid = '' }) => kid)
  }
  const kidOf = ({ access_token: token }: Pair): string => decodeProtectedHeader(token).kid ?? ''

  test('change in time: the next one is published before it signs, the old one after', async () => {
    const old = await signIn()
    const [first = ''] = await published()
    expect(await published()).toEqual([kidOf(old)])
    nowMs += (SIGNS_S - PUBLISHED_BEFORE_S + 1) * 1000
    expect(kidOf(await signIn())).toBe(first)
    const both = await published()
    expect(both).toHaveLength(2)
    nowMs += PUBLISHED_BEFORE_S * 1000 - 60_000
    const last = await signIn()
    expect(kidOf(last)).toBe(first)
    nowMs += 120_000
    const next = await signIn()
    expect(kidOf(next)).toBe(both[1])
    expect([await me(last.access_token), await me(next.access_token)]).toEqual([200, 200])
    nowMs += (KEPT_S + 60) * 1000
    expect(await published()).toEqual([both[1]])
  })

  test('are replaced at once when an operator says so', async () => {
    const pair = await signIn()
    const replaced = await post('/api/auth/signing-keys/replace', {}, { authorization: `Bearer ${pair.access_token}` })
    expect(replaced.status).toBe(204)
    expect(await me(pair.access_token)).toBe(401)
    const again = (await (await refresh(pair.refresh_token)).json()) as Pair
    expect(kidOf(again)).not.toBe(kidOf(pair))
    expect(await me(again.access_token)).toBe(200)
  })

  test('are shared by all panels, and one that a stranger wrote into the store is none', async () => {
    const seal = createSeal(secretHash(TEST_SECRET_KEY), 'signing keys')
    const panels = [1, 2, 3].map(() => createSigningKeys(at.admin, seal, () => nowMs))
    await Promise.all(panels.map((one) => one.current()))
    nowMs += 20_000
    const kids = new Set((await Promise.all(panels.map((one) => one.current()))).map(({ kid }) => kid))
    expect(kids.size).toBe(1)
    const theirs = createSigningKeys(at.admin, createSeal(secretHash('another key, long enough for one'), 'signing keys'), () => nowMs)
    const foreign = await theirs.current()
    nowMs += 20_000
    expect(await published()).not.toContain(foreign.kid)
    const stored = await at.admin.signingKeys.list()
    expect(stored.every(({ sealed }) => !/"kty"|"d"/.test(sealed))).toBe(true)
  })
})
