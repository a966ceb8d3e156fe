import { expect, test } from 'vitest'
import type { AdminStore } from '../port/admin.ts'
import type { Identity, TokenFamily } from '../port/sign-in.ts'

const github: Identity = { issuer: 'github', subject: '583231', userId: 'u1', login: 'octocat', email: 'o@example.com', createdAt: 100.5, lastLoginAt: 100.5 }
const family: TokenFamily = { id: 'f1', userId: 'u1', createdAt: 1000, expiresAt: 2000, agent: 'script' }
const carl = { id: 'u3', name: 'carl', email: 'carl@example.com', role: 'user', active: true, createdAt: 1, passwordHash: null } as const

/** What the admin store does for sign-in through others, tokens of programs and tickets; `ada` (u1) and `bob` (u2) are in it. */
export function describeSignIn(storeWithUsers: () => Promise<AdminStore>): void {
  describeIdentities(storeWithUsers)
  describeTokens(storeWithUsers)
  describeTokensAtOnce(storeWithUsers)
  describeTickets(storeWithUsers)

  test('signing keys are listed by when they begin to sign, and deleted', async () => {
    const { signingKeys } = await storeWithUsers()
    await signingKeys.add({ kid: 'b', sealed: 'x', createdAt: 10.5, signsFrom: 30 })
    await signingKeys.add({ kid: 'a', sealed: 'y', createdAt: 10, signsFrom: 10 })
    await signingKeys.add({ kid: 'a', sealed: 'z', createdAt: 11, signsFrom: 11 })
    expect(await signingKeys.list()).toEqual([
      { kid: 'a', sealed: 'y', createdAt: 10, signsFrom: 10 },
      { kid: 'b', sealed: 'x', createdAt: 10.5, signsFrom: 30 },
    ])
    await signingKeys.delete([])
    await signingKeys.delete(['a'])
    expect((await signingKeys.list()).map(({ kid }) => kid)).toEqual(['b'])
  })
}

function describeIdentities(storeWithUsers: () => Promise<AdminStore>): void {
  test('an account at a provider leads to one user, and its last sign-in never goes back', async () => {
    const { identities } = await storeWithUsers()
    expect(await identities.get('github', '583231')).toBeUndefined()
    await identities.create(github)
    for (const at of [300, 200.5]) await identities.seen({ ...github, login: 'renamed', email: 'n@example.com' }, at)
    const seen = { ...github, login: 'renamed', email: 'n@example.com', lastLoginAt: 300 }
    expect(await identities.get('github', '583231')).toEqual(seen)
    expect(await identities.get('https://other.example', '583231')).toBeUndefined()
    expect(await identities.list('u1')).toEqual([seen])
  })

  test('an account that already exists is refused, for another user and for a second account of one', async () => {
    const { identities } = await storeWithUsers()
    await identities.create(github)
    const exists = { code: 'identity_exists', message: expect.stringContaining('already exists') }
    await expect(identities.create({ ...github, userId: 'u2' })).rejects.toMatchObject(exists)
    await expect(identities.create({ ...github, subject: '7' })).rejects.toMatchObject(exists)
    await identities.create({ ...github, issuer: 'https://other.example' })
    expect(await identities.list('u1')).toHaveLength(2)
  })

  test('an account and its new user are made together or not at all', async () => {
    const { identities, users } = await storeWithUsers()
    await identities.create({ ...github, userId: 'u3' }, carl)
    expect(await users.get('u3')).toEqual({ ...carl, lastLoginAt: null })
    await expect(identities.create({ ...github, userId: 'u4' }, { ...carl, id: 'u4', name: 'dora', email: 'd@example.com' })).rejects.toMatchObject({
      code: 'identity_exists',
    })
    expect(await users.get('u4')).toBeUndefined()
    await expect(identities.create({ ...github, subject: '8', userId: 'u4' }, { ...carl, id: 'u4' })).rejects.toMatchObject({ code: 'user_exists' })
    expect(await identities.get('github', '8')).toBeUndefined()
  })
}

function describeTokensAtOnce(storeWithUsers: () => Promise<AdminStore>): void {
  test('of those who show one refresh token at once, one at most gets the next, and all get an answer', async () => {
    const { tokens } = await storeWithUsers()
    for (let round = 0; round < 10; round++) {
      const id = `f${round}`
      await tokens.create({ ...family, id }, `r${round}`)
      const shown = Array.from({ length: 8 }, (_, i) => tokens.rotate(`r${round}`, { hash: `${round}-${i}`, at: 1500, expiresAt: 2500 }))
      const outcomes = await Promise.all(shown)
      expect(outcomes.filter(({ outcome }) => outcome === 'rotated')).toHaveLength(1)
      expect(await tokens.get(id, 1500)).toBeUndefined()
    }
  })

  test('tokens that are shown while their family is revoked get an answer', async () => {
    const { tokens } = await storeWithUsers()
    for (let round = 0; round < 10; round++) {
      const ids = ['a', 'b', 'c'].map((name) => `${name}${round}`)
      for (const id of ids) await tokens.create({ ...family, id }, id)
      const shown = ids.flatMap((id) => [1, 2].map((i) => tokens.rotate(id, { hash: `${id}-${i}`, at: 1500, expiresAt: 2500 })))
      await Promise.all([...shown, tokens.revoke(`b${round}`), tokens.revokeOf(family.userId), tokens.revokeOf(family.userId)])
      expect(await tokens.list(family.userId)).toEqual([])
    }
  })
}

function describeTokens(storeWithUsers: () => Promise<AdminStore>): void {
  test('refresh tokens follow one another; one that was used already revokes the family', async () => {
    const { tokens } = await storeWithUsers()
    await tokens.create(family, 'r1')
    expect(await tokens.get('f1', 1500)).toEqual(family)
    expect(await tokens.get('f1', 2000)).toBeUndefined()
    const longer = { ...family, expiresAt: 2500 }
    expect(await tokens.rotate('r1', { hash: 'r2', at: 1500, expiresAt: 2500 })).toEqual({ outcome: 'rotated', family: longer })
    expect(await tokens.familyOf('r2')).toEqual(longer)
    expect(await tokens.rotate('r0', { hash: 'r9', at: 1500, expiresAt: 2500 })).toEqual({ outcome: 'unknown' })
    expect(await tokens.rotate('r1', { hash: 'r3', at: 1600, expiresAt: 2600 })).toEqual({ outcome: 'reused', family: longer })
    expect(await tokens.get('f1', 1600)).toBeUndefined()
    expect(await tokens.rotate('r2', { hash: 'r4', at: 1600, expiresAt: 2600 })).toEqual({ outcome: 'unknown' })
  })

  test('a refresh token that is over gives nothing; old ones are forgotten with the years', async () => {
    const { tokens } = await storeWithUsers()
    await tokens.create(family, 'r1')
    expect(await tokens.rotate('r1', { hash: 'r2', at: 2000, expiresAt: 3000 })).toEqual({ outcome: 'unknown' })
    await tokens.create({ ...family, id: 'f2', createdAt: 2100, expiresAt: 3000 }, 'q1')
    expect((await tokens.list('u1')).map(({ id }) => id)).toEqual(['f2'])
    await tokens.rotate('q1', { hash: 'q2', at: 2900, expiresAt: 3900 })
    await tokens.rotate('q2', { hash: 'q3', at: 3800, expiresAt: 4800 })
    expect(await tokens.familyOf('q1')).toBeUndefined()
    expect(await tokens.familyOf('q2')).toMatchObject({ id: 'f2' })
  })

  test('a user’s sign-ins are listed by when they last got tokens', async () => {
    const { tokens } = await storeWithUsers()
    for (const [index, id] of ['f1', 'f2', 'f3'].entries())
      await tokens.create({ ...family, id, createdAt: 1000 + index, userId: id === 'f3' ? 'u2' : 'u1' }, `r-${id}`)
    expect(await tokens.list('u1')).toEqual([
      { ...family, id: 'f2', createdAt: 1001, usedAt: 1001 },
      { ...family, usedAt: 1000 },
    ])
    await tokens.rotate('r-f1', { hash: 'next', at: 1500, expiresAt: 2500 })
    expect((await tokens.list('u1')).map(({ id, usedAt }) => [id, usedAt])).toEqual([
      ['f1', 1500],
      ['f2', 1001],
    ])
  })

  test('families are revoked one by one and of a user', async () => {
    const { tokens } = await storeWithUsers()
    for (const id of ['f1', 'f2', 'f3']) await tokens.create({ ...family, id, userId: id === 'f3' ? 'u2' : 'u1' }, `r-${id}`)
    expect(await tokens.revoke('f1')).toBe(true)
    expect(await tokens.revoke('f1')).toBe(false)
    await tokens.revokeOf('u1')
    expect(await tokens.list('u1')).toEqual([])
    expect(await tokens.get('f3', 1500)).toMatchObject({ id: 'f3' })
  })
}

function describeTickets(storeWithUsers: () => Promise<AdminStore>): void {
  test('a ticket is given out one time, to one of those who ask at once, and not when it is over', async () => {
    const { tickets } = await storeWithUsers()
    const ticket = { hash: 't1', userId: 'u1', via: 'session', credential: 's1', expiresAt: 130 }
    await tickets.create(ticket, 100)
    const got = await Promise.all([1, 2, 3, 4].map(() => tickets.redeem('t1', 120)))
    expect(got.filter((one) => one !== undefined)).toEqual([ticket])
    await tickets.create(ticket, 100)
    expect(await tickets.redeem('t1', 130)).toBeUndefined()
    expect(await tickets.redeem('t1', 100)).toBeUndefined()
    await tickets.create(ticket, 100)
    await tickets.create({ ...ticket, hash: 't2', expiresAt: 200 }, 130)
    expect(await tickets.redeem('t1', 100)).toBeUndefined()
  })
}
