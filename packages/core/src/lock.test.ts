// Goal: a question is open until the first answer, its expiry or the run's end, and open again after a retry. Method: each path by hand, then generated runs against a recount.
import { recordedRuns } from '@koco/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeEvent } from './codec.ts'
import { must } from './errors.ts'
import type { EventData, EventKind, RunEvent } from './event.ts'
import { evolveLocks, type LockState } from './lock.ts'

const FID = '6ab13b80c0ffee00c0ffee00'
const ASKED = { lid: 'l', name: 'approve', form: { type: 'object' }, data: [1], expires_at: 900 }

function event<K extends EventKind>(kind: K, data: EventData[K]): RunEvent {
  return { fid: FID, epoch: 1, seq: 1, ts: 100, kind, data } as unknown as RunEvent
}

function fold(...events: readonly RunEvent[]): Map<string, LockState> {
  const locks = new Map<string, LockState>()
  for (const one of events) for (const lock of evolveLocks(locks, one)) locks.set(lock.lid, lock)
  return locks
}

const asked = event('lock', ASKED)
const finished = event('status', { status: 'finished' })
const retried = event('attempt', { attempt: 2, reason: 'retry', owner: 'w' })
const answered = (lid: string, answer: EventData['inputs']['inputs']) => event('lease', { lid, answer, by: 'ann', at: 150.5 })

test('an open question is put to those that its escalations name, step by step; an answered one is not', () => {
  const [first, second] = [
    { at: 200, assignees: ['ann', 'bob'], roles: [] },
    { at: 300, assignees: ['ann', 'bob'], roles: ['operator'] },
  ] as const
  const asked = event('lock', { ...ASKED, assignees: ['ann'], escalations: [first, second] })
  expect(fold(asked).get('l')).toMatchObject({ assignees: ['ann'], roles: [], escalations: [first, second], escalated: 0 })
  const once = event('escalate', { lid: 'l', step: 1, ...first })
  expect(fold(asked, once).get('l')).toMatchObject({ assignees: ['ann', 'bob'], roles: [], escalated: 1, status: 'open' })
  const twice = event('escalate', { lid: 'l', step: 2, ...second })
  expect(fold(asked, once, twice).get('l')).toMatchObject({ roles: ['operator'], escalated: 2, status: 'open' })
  expect(fold(asked, answered('l', true), once).get('l')).toMatchObject({ assignees: ['ann'], escalated: 0, status: 'answered' })
})

test('an asked lock is open and has what was asked', () => {
  expect(fold(asked).get('l')).toEqual({
    fid: FID,
    lid: 'l',
    name: 'approve',
    form: { type: 'object' },
    data: [1],
    askedAt: 100,
    expiresAt: 900,
    status: 'open',
    answer: null,
    answeredBy: null,
    answeredAt: null,
    reason: null,
    assignees: [],
    roles: [],
    escalations: [],
    escalated: 0,
  })
})

test('a lock keeps who may answer it, and its answer why', () => {
  const locks = fold(
    event('lock', { ...ASKED, assignees: ['ann'], roles: ['operator'] }),
    event('lease', { lid: 'l', answer: 1, by: 'ann', at: 150, reason: 'cheap' }),
  )
  expect(locks.get('l')).toMatchObject({ assignees: ['ann'], roles: ['operator'], status: 'answered', reason: 'cheap' })
})

test.each([{ go: true }, null, false, '', 0])('%j is an answer', (answer) => {
  expect(fold(asked, answered('l', answer)).get('l')).toMatchObject({ status: 'answered', answer, answeredBy: 'ann', answeredAt: 150.5 })
})

test('an expired lock has nobody who answered', () => {
  expect(fold(asked, event('lease', { lid: 'l', expired: true, at: 901 })).get('l')).toMatchObject({ status: 'expired', answeredBy: null, answeredAt: 901 })
})

test('asking again for a lock that is known changes nothing', () => {
  expect(evolveLocks(fold(asked, answered('l', 1)), event('lock', { ...ASKED, name: 'other' }))).toEqual([])
})

test('an answer to an unknown lock changes nothing', () => {
  expect(evolveLocks(new Map(), answered('x', 1))).toEqual([])
})

test('the end of a run closes what is open and nothing else; a retry opens it again', () => {
  const other = event('lock', { ...ASKED, lid: 'other' })
  const ended = fold(asked, other, answered('other', 1), finished)
  expect([...ended.values()].map((lock) => lock.status)).toEqual(['closed', 'answered'])
  expect([...fold(asked, other, answered('other', 1), finished, retried).values()].map((lock) => lock.status)).toEqual(['open', 'answered'])
})

test('a status that is no end, and a try that is no retry, change nothing', () => {
  const open = fold(asked)
  expect(evolveLocks(open, event('status', { status: 'paused' }))).toEqual([])
  expect(evolveLocks(open, event('attempt', { attempt: 2, reason: 'recover', owner: 'w' }))).toEqual([])
})

test('in every legal run the locks agree with a recount of its events', () => {
  fc.assert(
    fc.property(recordedRuns(120), ({ run, timeline }) => {
      const events = timeline.map((record) => must(decodeEvent(run.fid, record), record.kind))
      const locks = fold(...events)
      const leased = new Set(events.flatMap((one) => (one.kind === 'lease' ? [one.data.lid] : [])))
      expect(new Set(locks.keys())).toEqual(new Set(events.flatMap((one) => (one.kind === 'lock' ? [one.data.lid] : []))))
      for (const lock of locks.values()) expect(['answered', 'expired'].includes(lock.status)).toBe(leased.has(lock.lid))
    }),
  )
})
