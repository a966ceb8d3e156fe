// Goal: a question to a person is asked once, answered once, and found by those who should answer. Method: lock and lease events, answers at once and late.
import type { EventRecord } from '@koco/core'
import { expect, test } from 'vitest'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { Role } from '../port/users.ts'
import { attempt, meta, opening, record, someFid, START, status } from './scenario.ts'
import { someWebhook } from './webhooks.ts'

const E1 = START * 1000
const E2 = E1 + 10

/** The rules of LockStore. */
export function describeLocks(store: () => ExecutionStore): void {
  const ask = async (user: string, locks: readonly EventRecord[]): Promise<string> => {
    const fid = someFid()
    const start = opening(E1).map((each) => (each.kind === 'meta' ? meta(E1, 4, { user }) : each))
    await store().writer.write([{ fid, records: [...start, ...locks] }])
    return fid
  }
  const lock = (seq: number, lid: string, expiresAt: number | null = null): EventRecord =>
    record(E1, seq, 'lock', { lid, name: 'approve', form: { type: 'object' }, data: { price: 3 }, expires_at: expiresAt })
  const answerOf = (lid: string, by = 'bob', at = START + 50) => ({ lid, answer: { go: false }, by, at })

  test('a lock is asked, answered, and leased', async () => {
    const fid = await ask('ada', [lock(6, 'l1', START + 100)])
    expect(await store().locks.get(fid, 'l1')).toMatchObject({
      fid,
      lid: 'l1',
      name: 'approve',
      form: { type: 'object' },
      data: { price: 3 },
      expiresAt: START + 100,
      status: 'open',
    })
    expect(await store().runs.get(fid)).toMatchObject({ openLocks: 1 })
    expect(await store().locks.answer(fid, answerOf('l1'))).toEqual({ outcome: 'accepted' })
    expect(await store().locks.answers(fid)).toEqual([answerOf('l1')])
    await store().writer.write([{ fid, records: [record(E1, 7, 'lease', answerOf('l1'))] }])
    expect(await store().locks.get(fid, 'l1')).toMatchObject({ status: 'answered', answer: { go: false }, answeredBy: 'bob', answeredAt: START + 50 })
    expect(await store().runs.get(fid)).toMatchObject({ openLocks: 0 })
    expect(await store().locks.answer(fid, answerOf('l1', 'eve'))).toEqual({ outcome: 'answered', by: 'bob' })
  })

  test('who may answer is found by name and by role, and why they did is kept', async () => {
    const people = (seq: number, lid: string, more: { assignees?: string[]; roles?: string[] }): EventRecord =>
      record(E1, seq, 'lock', { lid, name: 'approve', form: {}, data: null, expires_at: null, ...more })
    const fid = await ask('asker', [
      people(6, 'l1', { assignees: ['legal-ann', 'legal-bob'] }),
      people(7, 'l2', { roles: ['operator'], assignees: ['legal-bob'] }),
      people(8, 'l3', {}),
    ])
    const concerning = async (user: string, role: Role): Promise<string[]> =>
      (await store().locks.list({ fid, concerns: { user, role }, limit: 10 })).items.map(({ lid }) => lid).toSorted()
    expect(await concerning('asker', 'user')).toEqual(['l1', 'l2', 'l3'])
    expect(await concerning('legal-ann', 'user')).toEqual(['l1'])
    expect(await concerning('legal-bob', 'user')).toEqual(['l1', 'l2'])
    expect(await concerning('boss', 'operator')).toEqual(['l2'])
    expect(await concerning('legal', 'user')).toEqual([])
    const answer = { ...answerOf('l1', 'legal-ann'), reason: 'It is cheap.' }
    expect(await store().locks.answer(fid, answer)).toEqual({ outcome: 'accepted' })
    expect(await store().locks.answers(fid)).toEqual([answer])
    await store().writer.write([{ fid, records: [record(E1, 9, 'lease', answer)] }])
    expect(await store().locks.get(fid, 'l1')).toMatchObject({ reason: 'It is cheap.', assignees: ['legal-ann', 'legal-bob'], roles: [] })
    expect(await store().locks.get(fid, 'l3')).toMatchObject({ reason: null, assignees: [], roles: [] })
  })

  test('a question that nobody answers is found by those to whom it is put later, and who wants to know is told', async () => {
    await store().webhooks.create(someWebhook('wh-escalated', { flow: null, runsOf: 'escalator', events: ['question.escalated'] }))
    const step = { at: START + 20, assignees: ['escalator', 'later-bob'], roles: ['operator'] }
    const asked = record(E1, 6, 'lock', { lid: 'l1', name: 'approve', form: {}, data: null, expires_at: null, escalations: [step] })
    const fid = await ask('escalator', [asked])
    const concerning = async (user: string, role: Role): Promise<number> =>
      (await store().locks.list({ fid, concerns: { user, role }, limit: 10 })).items.length
    expect([await concerning('later-bob', 'user'), await concerning('boss', 'operator')]).toEqual([0, 0])
    expect(await store().locks.get(fid, 'l1')).toMatchObject({ assignees: [], roles: [], escalations: [step], escalated: 0 })
    const escalated = record(E1, 7, 'escalate', { lid: 'l1', step: 1, ...step })
    for (let n = 0; n < 2; n++) await store().writer.write([{ fid, records: [escalated] }])
    expect(await store().locks.get(fid, 'l1')).toMatchObject({ status: 'open', assignees: step.assignees, roles: step.roles, escalated: 1 })
    expect([await concerning('later-bob', 'user'), await concerning('boss', 'operator'), await concerning('escalator', 'user')]).toEqual([1, 1, 1])
    const { items } = await store().webhooks.deliveries('wh-escalated', { limit: 10 })
    expect(items.map(({ type, lid, detail }) => [type, lid, detail])).toEqual([['question.escalated', 'l1', 'approve']])
    await store().webhooks.delete('wh-escalated')
    expect(await store().locks.answer(fid, answerOf('l1', 'later-bob'))).toEqual({ outcome: 'accepted' })
  })

  test('of many answers at once the first wins and the others are told whose', async () => {
    const fid = await ask('ada', [lock(6, 'l1')])
    const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map(async (by) => await store().locks.answer(fid, answerOf('l1', by))))
    expect(outcomes.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1)
    const [winner] = await store().locks.answers(fid)
    expect(outcomes.filter(({ outcome }) => outcome !== 'accepted')).toEqual([1, 2, 3].map(() => ({ outcome: 'answered', by: winner?.by })))
  })

  test('null, false and empty are answers', async () => {
    const fid = await ask('ada', [lock(6, 'l1'), lock(7, 'l2'), lock(8, 'l3')])
    await store().locks.answer(fid, { ...answerOf('l1'), answer: null })
    await store().locks.answer(fid, { ...answerOf('l2'), answer: false })
    await store().locks.answer(fid, { ...answerOf('l3'), answer: '' })
    expect((await store().locks.answers(fid)).map(({ answer }) => answer)).toEqual([null, false, ''])
    expect(await store().locks.answer(fid, answerOf('l1'))).toEqual({ outcome: 'answered', by: 'bob' })
  })

  test('an answer to no lock, an expired one or one of an ended run is not taken', async () => {
    const fid = await ask('ada', [lock(6, 'late', START + 40), lock(7, 'expired', START + 100), lock(8, 'closed')])
    expect(await store().locks.answer(fid, answerOf('nothing'))).toEqual({ outcome: 'unknown' })
    expect(await store().locks.answer(someFid(), answerOf('l1'))).toEqual({ outcome: 'unknown' })
    expect(await store().locks.answer(fid, answerOf('late'))).toEqual({ outcome: 'expired' })
    await store().writer.write([{ fid, records: [record(E1, 9, 'lease', { lid: 'expired', expired: true, at: START + 41 }), status(E1, 10, 'cancelled')] }])
    expect(await store().locks.answer(fid, answerOf('expired'))).toEqual({ outcome: 'expired' })
    expect(await store().locks.answer(fid, answerOf('closed'))).toEqual({ outcome: 'closed' })
    await store().writer.write([{ fid, records: [attempt(E2, { epoch: E1, seq: 10 }, { reason: 'retry' })] }])
    expect(await store().locks.answer(fid, answerOf('closed'))).toEqual({ outcome: 'accepted' })
  })

  test('locks are listed newest first with their run, by run, user and status, page by page', async () => {
    const user = 'lock-lister'
    const first = await ask(user, [lock(6, 'a'), lock(7, 'b')])
    const second = await ask(
      user,
      [lock(8, 'c'), record(E1, 9, 'lease', answerOf('c'))].map((each, i) => ({ ...each, seq: 6 + i })),
    )
    const list = async (query: Parameters<ExecutionStore['locks']['list']>[0]) => (await store().locks.list(query)).items.map((each) => each.lid)
    expect(await list({ user, limit: 10 })).toEqual(['c', 'b', 'a'])
    expect(await list({ fid: first, limit: 10 })).toEqual(['b', 'a'])
    expect(await list({ fid: second, limit: 10 })).toEqual(['c'])
    expect(await list({ user, status: 'open', limit: 10 })).toEqual(['b', 'a'])
    const page = await store().locks.list({ user, limit: 2 })
    expect(page.items[0]).toMatchObject({ flow: 'trip-planner', user, summary: 'Plans a trip', status: 'answered' })
    expect(await list({ user, limit: 2, cursor: page.next ?? '' })).toEqual(['a'])
    await expect(list({ limit: 2, cursor: 'x' })).rejects.toMatchObject({ code: 'bad_cursor' })
  })
}
