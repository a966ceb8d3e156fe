// Goal: the index finds checkpoints by what people and programs said of them, knows what continues what, and lets none go that is locked. Method: known rows of one user or session each.
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { CheckpointRow } from '../port/checkpoints.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import { START } from './scenario.ts'

/** A row of the index. */
export function someRow(change: Partial<CheckpointRow> = {}): CheckpointRow {
  return {
    id: `ck${randomBytes(8).toString('hex')}`,
    session: 'a'.repeat(12),
    user: 'ada',
    createdAt: START,
    description: 'Before the rewrite',
    tags: [],
    metadata: {},
    origin: 'manual',
    parent: null,
    merged: null,
    position: 7,
    messages: 3,
    files: 2,
    bytes: 5_000_000_000,
    added: 1200,
    manifest: 'f'.repeat(64),
    revision: 1,
    lock: null,
    ...change,
  }
}

/** The rules of CheckpointStore. */
export function describeCheckpoints(store: () => ExecutionStore): void {
  const insert = async (change: Partial<CheckpointRow> = {}): Promise<CheckpointRow> => {
    const row = someRow(change)
    await store().checkpoints.insert(row)
    return row
  }
  const list = async (query: object): Promise<string[]> => (await store().checkpoints.list({ limit: 100, ...query })).items.map(({ id }) => id)

  test('a row is kept as it was given, and an id is taken once', async () => {
    const metadata = { model: { name: 'tiny “ü” 🚂', temperature: 0.25, stops: ['a', null], none: null, empty: {} }, 'dotted.key': true }
    const row = await insert({ metadata, tags: ['a b', '#x', '"quoted"\n'], description: 'Zeile\nzwei', lock: { by: 'ada', at: START, reason: null } })
    expect(await store().checkpoints.get(row.id)).toEqual(row)
    expect(await store().checkpoints.get('never')).toBeUndefined()
    await expect(insert({ id: row.id })).rejects.toMatchObject({ code: 'checkpoint_exists' })
  })

  test('a task is kept for a kind and session until it is dropped, and copied with the rest', async () => {
    const { setTask, dropTask, tasks } = store().checkpoints
    await setTask({ kind: 'auto', session: 'b'.repeat(12), about: { interval_s: 60 } })
    await setTask({ kind: 'restore', session: 'b'.repeat(12), about: ['“ü” 🚂'] })
    await setTask({ kind: 'auto', session: 'a'.repeat(12), about: null })
    await setTask({ kind: 'auto', session: 'b'.repeat(12), about: { interval_s: 5 } })
    const autos = [
      { kind: 'auto', session: 'a'.repeat(12), about: null },
      { kind: 'auto', session: 'b'.repeat(12), about: { interval_s: 5 } },
    ]
    expect(await tasks('auto')).toEqual(autos)
    const rows = await store().keeper.sideRows('checkpoint_tasks')
    expect(rows).toHaveLength(3)
    expect([await dropTask('auto', 'b'.repeat(12)), await dropTask('auto', 'b'.repeat(12))]).toEqual([true, false])
    await store().keeper.putSideRows('checkpoint_tasks', rows)
    expect(await tasks('auto')).toEqual(autos)
    expect(await tasks('restore')).toEqual([{ kind: 'restore', session: 'b'.repeat(12), about: ['“ü” 🚂'] }])
    for (const kind of ['auto', 'restore'] as const) for (const { session } of await tasks(kind)) await dropTask(kind, session)
  })

  test('a list is filtered by session, user, time and all of the tags, newest first, page by page', async () => {
    const user = 'lister'
    const [a, b, c] = [
      await insert({ user, session: 's1', tags: ['red', 'big'], createdAt: START + 1 }),
      await insert({ user, session: 's2', tags: ['red'], createdAt: START + 2 }),
      await insert({ user, session: 's1', tags: ['big', 'red', 'redder'], createdAt: START + 3 }),
    ]
    expect(await list({ user })).toEqual([c.id, b.id, a.id])
    expect(await list({ user, session: 's1' })).toEqual([c.id, a.id])
    expect(await list({ user, tags: ['red', 'big'] })).toEqual([c.id, a.id])
    expect(await list({ user, tags: ['re'] })).toEqual([])
    expect(await list({ user, from: START + 2, to: START + 3 })).toEqual([b.id])
    const first = await store().checkpoints.list({ user, limit: 2 })
    const second = await store().checkpoints.list({ user, limit: 2, cursor: first.next ?? '' })
    expect([first.items.length, second.items.map(({ id }) => id), second.next]).toEqual([2, [a.id], null])
    await expect(store().checkpoints.list({ limit: 1, cursor: 'nonsense' })).rejects.toMatchObject({ code: 'bad_cursor' })
  })

  test('a search finds words in what people said, and values of the metadata at their places', async () => {
    const user = 'searcher'
    const one = await insert({ user, description: 'Grüße aus Lissabon', metadata: { trip: { city: 'Lisbon', days: 3, paid: false }, stage: 'draft' } })
    const two = await insert({ user, description: 'Rome', tags: ['lissabon'], metadata: { trip: { city: 'Rome', days: 3 }, note: null }, createdAt: START + 1 })
    expect(await list({ user, q: 'LISSABON' })).toEqual([two.id, one.id])
    expect(await list({ user, q: 'grüße lissabon' })).toEqual([one.id])
    expect(await list({ user, q: two.id })).toEqual([two.id])
    expect(await list({ user, metadata: { trip: { days: 3 } } })).toEqual([two.id, one.id])
    expect(await list({ user, metadata: { trip: { days: 3, paid: false }, stage: 'draft' } })).toEqual([one.id])
    expect(await list({ user, metadata: { note: null } })).toEqual([two.id])
    expect(await list({ user, metadata: { trip: { days: '3' } } })).toEqual([])
    expect(await list({ user, metadata: { city: 'Rome' } })).toEqual([])
  })

  test('words change one after the other: the second of two is told', async () => {
    const row = await insert({ user: 'writer', description: 'first' })
    const words = { description: 'second', tags: ['new'], metadata: { a: 1 }, manifest: 'e'.repeat(64) }
    const outcomes = await Promise.all([
      store().checkpoints.describe(row.id, 2, words),
      store().checkpoints.describe(row.id, 2, { ...words, description: 'third' }),
    ])
    expect(outcomes.filter(Boolean)).toEqual([true])
    expect(await store().checkpoints.get(row.id)).toMatchObject({ revision: 2, tags: ['new'], manifest: words.manifest })
    expect(await list({ user: 'writer', tags: ['new'], metadata: { a: 1 } })).toEqual([row.id])
    expect(await list({ user: 'writer', q: 'first' })).toEqual([])
    expect(await store().checkpoints.describe('never', 2, words)).toBe(false)
  })

  test('a locked one is not deleted; the children of a deleted one get its parent', async () => {
    const top = await insert({ user: 'keeper' })
    const middle = await insert({ user: 'keeper', parent: top.id })
    const child = await insert({ user: 'keeper', parent: middle.id })
    const merge = await insert({ user: 'keeper', parent: child.id, merged: middle.id })
    expect(await store().checkpoints.setLock(middle.id, { by: 'ada', at: START, reason: 'released' })).toBe(true)
    expect(await store().checkpoints.delete(middle.id)).toBe('locked')
    expect(await store().checkpoints.get(middle.id)).toMatchObject({ lock: { by: 'ada', at: START, reason: 'released' } })
    await store().checkpoints.setLock(middle.id, null)
    expect(await store().checkpoints.delete(middle.id)).toBe('deleted')
    expect(await store().checkpoints.delete(middle.id)).toBe('unknown')
    expect(await store().checkpoints.get(child.id)).toEqual({ ...child, parent: top.id })
    expect(await store().checkpoints.get(merge.id)).toEqual({ ...merge, merged: top.id })
    expect(await store().checkpoints.setLock('never', null)).toBe(false)
  })

  test('ancestors and family follow both parents, over sessions; a parent that is not there is none', async () => {
    const at = (n: number, change: Partial<CheckpointRow>) => insert({ user: 'genealogist', createdAt: START + n, ...change })
    const root = await at(1, { session: 'g1' })
    const left = await at(2, { session: 'g1', parent: root.id })
    const right = await at(3, { session: 'g2', parent: root.id })
    const merged = await at(4, { session: 'g3', parent: left.id, merged: right.id })
    const later = await at(5, { session: 'g4', parent: merged.id })
    const other = await at(6, { session: 'g9', parent: 'ckneverthere' })
    const ids = (rows: readonly CheckpointRow[]) => rows.map(({ id }) => id)
    expect(ids(await store().checkpoints.ancestors(merged.id))).toEqual([root.id, left.id, right.id, merged.id])
    expect(ids(await store().checkpoints.ancestors(right.id))).toEqual([root.id, right.id])
    for (const session of ['g1', 'g2', 'g3', 'g4']) {
      expect(ids(await store().checkpoints.family(session))).toEqual([root.id, left.id, right.id, merged.id, later.id])
    }
    expect(await store().checkpoints.family('g9')).toEqual([{ ...other, parent: null }])
    expect(await store().checkpoints.family('nobody')).toEqual([])
  })

  test('totals add up', async () => {
    await insert({ user: 'counter', bytes: 100, added: 10 })
    await insert({ user: 'counter', bytes: 5_000_000_000, added: 1 })
    expect(await store().checkpoints.totals('counter')).toEqual({ count: 2, bytes: 5_000_000_100, stored: 11 })
    expect((await store().checkpoints.totals()).count).toBeGreaterThan(2)
    expect(await store().checkpoints.totals('nobody')).toEqual({ count: 0, bytes: 0, stored: 0 })
  })
}
