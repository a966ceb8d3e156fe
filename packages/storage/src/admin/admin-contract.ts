import { afterEach, describe, expect, test } from 'vitest'
import { must } from '@koco/core'
import type { AdminStore, ApiKey, AuditEntry, AuditQuery, Session } from '../port/admin.ts'
import type { User } from '../port/users.ts'
import type { SavedView } from '../port/views.ts'
import { adminSchemaVersion, migrateAdminStore, openAdminStore } from '../open-admin-store.ts'
import { describeSignIn } from './sign-in-contract.ts'

/** An empty database of a test's own. */
export type AdminPlace = { readonly url: string; dispose(): Promise<void> }

const ada: User = {
  id: 'u1',
  name: 'ada',
  email: 'Ada@Example.com',
  role: 'operator',
  active: true,
  createdAt: 1_700_000_000.25,
  lastLoginAt: null,
  passwordHash: 'hash',
}
const bob: User = {
  id: 'u2',
  name: 'bob',
  email: 'bob@example.com',
  role: 'viewer',
  active: false,
  createdAt: 1_700_000_001,
  lastLoginAt: null,
  passwordHash: null,
}
const session: Session = { idHash: 's1', userId: 'u1', createdAt: 100.5, seenAt: 100.5, expiresAt: 200, agent: 'Firefox' }
const key: ApiKey = { id: 'k1', userId: 'u1', name: 'ci', prefix: 'koco_ab', hash: 'h1', createdAt: 100, usedAt: null }

/** The suite that the admin store passes on each database. */
export function describeAdminStore(name: string, newPlace: () => Promise<AdminPlace>): void {
  const opened: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of opened.splice(0).toReversed()) await close()
  })

  async function place(): Promise<string> {
    const made = await newPlace()
    opened.push(() => made.dispose())
    return made.url
  }

  async function open(url: string): Promise<AdminStore> {
    const store = await openAdminStore({ url, migrate: true })
    opened.push(() => store.close())
    return store
  }

  async function storeWithUsers(): Promise<AdminStore> {
    const store = await open(await place())
    await store.users.create(ada)
    await store.users.create(bob)
    return store
  }

  describe(name, () => {
    describeOpening(place)
    describeUsers(storeWithUsers)
    describeSessions(storeWithUsers)
    describeKeys(storeWithUsers)
    describeSignIn(storeWithUsers)
    describeAudit(storeWithUsers)
    describeViews(storeWithUsers)

    test('what was written is there after closing and opening again', async () => {
      const url = await place()
      const first = await openAdminStore({ url, migrate: true })
      await first.users.create(ada)
      await first.close()
      expect(await (await open(url)).users.get('u1')).toEqual(ada)
    })
  })
}

function describeOpening(place: () => Promise<string>): void {
  test('a database without tables is refused with the command, and opens after it', async () => {
    const url = await place()
    await expect(openAdminStore({ url })).rejects.toMatchObject({ code: 'schema_older', message: expect.stringContaining('koco db --create-tables') })
    expect(await adminSchemaVersion({ url })).toMatchObject({ found: 0 })
    expect(await migrateAdminStore({ url })).not.toEqual([])
    expect(await migrateAdminStore({ url })).toEqual([])
    const { found, wanted } = await adminSchemaVersion({ url })
    expect(found).toBe(wanted)
    await (await openAdminStore({ url })).close()
  })
}

function describeUsers(storeWithUsers: () => Promise<AdminStore>): void {
  test('a user is found by name or address in any case', async () => {
    const { users } = await storeWithUsers()
    for (const login of ['ada', 'ADA', 'ada@example.com', ' Ada@EXAMPLE.com ']) expect(await users.find(login)).toEqual(ada)
    expect(await users.find('nobody')).toBeUndefined()
    expect(await users.list()).toEqual([ada, bob])
  })

  test('a name or an address that is taken is refused', async () => {
    const { users } = await storeWithUsers()
    const taken = { code: 'user_exists', message: expect.stringContaining('already exists') }
    await expect(users.create({ ...ada, id: 'u3', email: 'new@example.com' })).rejects.toMatchObject(taken)
    await expect(users.create({ ...ada, id: 'u3', name: 'carl', email: 'ADA@example.COM' })).rejects.toMatchObject({ code: 'user_exists' })
    await expect(users.update('u2', { email: 'ada@example.com' })).rejects.toMatchObject({ code: 'user_exists' })
  })

  test.each(['', '../etc', 'Ada', 'a/b', '.hidden', 'x'.repeat(64), 'ada\n'])('%j is no user name', async (name) => {
    const { users } = await storeWithUsers()
    await expect(users.create({ ...ada, id: 'u3', name, email: 'new@example.com' })).rejects.toMatchObject({ code: 'bad_user_name' })
  })

  test('an update changes what it names and says whether there is such a user', async () => {
    const { users } = await storeWithUsers()
    expect(await users.update('u1', { role: 'user', active: false, email: 'a@b.c', passwordHash: null })).toBe(true)
    expect(await users.get('u1')).toEqual({ ...ada, role: 'user', active: false, email: 'a@b.c', passwordHash: null })
    expect(await users.update('u1', {})).toBe(true)
    expect(await users.update('u9', { role: 'user' })).toBe(false)
  })

  test('the last sign-in is remembered and never goes back', async () => {
    const { users } = await storeWithUsers()
    for (const at of [500.5, 900, 700]) await users.loggedIn('u1', at)
    expect(await users.get('u1')).toEqual({ ...ada, lastLoginAt: 900 })
    expect(await users.get('u2')).toEqual(bob)
  })
}

function describeSessions(storeWithUsers: () => Promise<AdminStore>): void {
  test('a session is kept, touched, listed and deleted', async () => {
    const { sessions } = await storeWithUsers()
    await sessions.create(session)
    await sessions.touch('s1', 150)
    expect(await sessions.get('s1')).toEqual({ ...session, seenAt: 150 })
    await sessions.create({ ...session, idHash: 's2', createdAt: 101 })
    expect((await sessions.list('u1')).map(({ idHash }) => idHash)).toEqual(['s2', 's1'])
    await sessions.delete('s1')
    expect(await sessions.get('s1')).toBeUndefined()
    await sessions.deleteOf('u1')
    expect(await sessions.list('u1')).toEqual([])
  })

  test('a new session removes those that ended before it', async () => {
    const { sessions } = await storeWithUsers()
    await sessions.create(session)
    await sessions.create({ ...session, idHash: 's2', createdAt: 300, expiresAt: 400 })
    expect(await sessions.get('s1')).toBeUndefined()
  })
}

function describeKeys(storeWithUsers: () => Promise<AdminStore>): void {
  test('a key is found by its hash, listed of one user or of all, and deleted by its owner only', async () => {
    const store = await storeWithUsers()
    const { keys } = store
    await keys.create(key)
    await keys.create({ ...key, id: 'k2', userId: 'u2', hash: 'h2', createdAt: 101 })
    await keys.touch('k1', 500.5)
    expect(must(await keys.byHash('h1'), 'key')).toEqual({ ...key, usedAt: 500.5 })
    expect(await keys.byHash('h9')).toBeUndefined()
    expect((await keys.list(null)).map(({ id }) => id)).toEqual(['k2', 'k1'])
    expect((await keys.list('u2')).map(({ id }) => id)).toEqual(['k2'])
    expect(await keys.delete('k1', 'u2')).toBe(false)
    expect(await keys.delete('k1', 'u1')).toBe(true)
    expect(await keys.delete('k2', null)).toBe(true)
    await store.check()
  })
}

function describeAudit(storeWithUsers: () => Promise<AdminStore>): void {
  const entry = (at: number, action: string, change: Partial<AuditEntry> = {}): Omit<AuditEntry, 'id'> => ({
    at,
    actor: 'ada',
    via: 'session',
    action,
    target: 't',
    status: 200,
    detail: { reason: 'why not' },
    address: '::1',
    ...change,
  })

  test('entries come newest first, page by page, and are found by who, what, on what and when', async () => {
    const { audit } = await storeWithUsers()
    await audit.add([entry(100, 'run.start'), entry(101, 'run.cancel', { actor: 'bob', target: 'x' }), entry(101, 'running')])
    await audit.add([entry(99, 'login', { via: 'none', status: 401 })])
    const list = async (query: Partial<AuditQuery>) => (await audit.list({ limit: 10, ...query })).items.map(({ action }) => action)
    expect(await list({})).toEqual(['running', 'run.cancel', 'run.start', 'login'])
    expect(await list({ actor: 'bob' })).toEqual(['run.cancel'])
    expect(await list({ action: 'run' })).toEqual(['run.cancel', 'run.start'])
    expect(await list({ action: 'run.start' })).toEqual(['run.start'])
    expect(await list({ target: 'x' })).toEqual(['run.cancel'])
    expect(await list({ from: 100, to: 101 })).toEqual(['run.start'])
    const first = await audit.list({ limit: 3 })
    const second = await audit.list({ limit: 3, cursor: first.next ?? '' })
    expect([second.items.map(({ action }) => action), second.next]).toEqual([['login'], null])
    expect(second.items[0]).toEqual({ ...entry(99, 'login', { via: 'none', status: 401 }), id: expect.any(String) })
    await expect(audit.list({ limit: 1, cursor: 'x' })).rejects.toMatchObject({ code: 'bad_cursor' })
  })

  test('what is older than it need be is taken away, and text that no database holds is made safe', async () => {
    const { audit } = await storeWithUsers()
    await audit.add([entry(10, 'a'), entry(20.5, 'b', { actor: 'x\0y', target: 'z'.repeat(9000) }), entry(30, 'c')])
    expect(await audit.prune(20.5)).toBe(1)
    expect((await audit.list({ limit: 9 })).items.map(({ actor }) => actor)).toEqual(['ada', 'x\ufffdy'])
    expect(await audit.prune(20.5)).toBe(0)
  })
}

function describeViews(storeWithUsers: () => Promise<AdminStore>): void {
  const view: SavedView = { id: 'v1', userId: 'u1', name: 'What failed', search: { status: 'error', q: 'ß "x"' }, shared: false, savedAt: 100.5 }

  test('a view is kept once under its name, seen by others only while it is shared, and gone with its owner’s word', async () => {
    const { views } = await storeWithUsers()
    expect(await views.put(view)).toBe('v1')
    await views.put({ ...view, id: 'v2', userId: 'u2', name: 'All', search: {} })
    expect(await views.list('u1')).toEqual([{ ...view, user: 'ada' }])
    expect(await views.put({ ...view, id: 'v3', search: { flow: 'x' }, shared: true, savedAt: 101 })).toBe('v1')
    const shared = { ...view, user: 'ada', search: { flow: 'x' }, shared: true, savedAt: 101 }
    expect(await views.list('u1')).toEqual([shared])
    expect((await views.list('u2')).map(({ name, user }) => [name, user])).toEqual([
      ['All', 'bob'],
      ['What failed', 'ada'],
    ])
    expect(await views.delete('v1', 'u2')).toBe(false)
    expect(await views.delete('v2', null)).toBe(false)
    expect(await views.delete('v1', null)).toBe(true)
    expect(await views.delete('v2', 'u2')).toBe(true)
    expect(await views.list('u2')).toEqual([])
  })
}

/** Nobody changes an entry: the database refuses. `update` runs this text in the store's own database. */
export async function expectAuditStays(store: AdminStore, update: (text: string) => Promise<unknown>): Promise<void> {
  await store.audit.add([{ at: 1, actor: 'ada', via: 'key', action: 'a', target: '', status: 200, detail: null, address: '' }])
  await expect(update("update audit_log set actor = 'eve'")).rejects.toThrow('never changed')
  expect((await store.audit.list({ limit: 1 })).items[0]).toMatchObject({ actor: 'ada' })
}
