// Goal: each question stands in the right part of the inbox, the most urgent first, and is news once. Method: questions made by hand.
import type { Lock } from '@koco/core/api'
import { expect, test } from 'vitest'
import { answerers, createNews, questionsOf } from './questions.ts'

function lock(lid: string, change: Partial<Lock> = {}): Lock {
  const asked = { fid: 'f', lid, name: lid, form: {}, data: null, asked_at: 10, expires_at: null, status: 'open', flow: 'x', user: 'ann', summary: '' } as const
  const open = {
    answer: null,
    answered_by: null,
    answered_at: null,
    reason: null,
    assignees: [],
    roles: [],
    escalations: [],
    escalated: 0,
    may_answer: true,
    for_me: true,
  } as const
  return { ...asked, ...open, ...change }
}

const ids = (locks: readonly Lock[]): string[] => locks.map(({ lid }) => lid)

test('what is put to me, what I may answer too, and what I can only watch', () => {
  const open = [lock('mine'), lock('others', { for_me: false }), lock('watched', { may_answer: false, for_me: false }), lock('viewed', { may_answer: false })]
  expect(ids(questionsOf('for-me', open))).toEqual(['mine'])
  expect(ids(questionsOf('to-answer', open))).toEqual(['mine', 'others'])
  expect(ids(questionsOf('watching', open))).toEqual(['watched', 'viewed'])
})

test('what is due first stands first, then what was asked first', () => {
  const open = [lock('late', { asked_at: 5 }), lock('soon', { expires_at: 90 }), lock('later', { expires_at: 100 }), lock('later still', { asked_at: 6 })]
  expect(ids(questionsOf('to-answer', open))).toEqual(['soon', 'later', 'late', 'later still'])
})

test('who may answer is said in words', () => {
  expect(answerers(lock('a'))).toBe('ann or an operator')
  expect(answerers(lock('a', { assignees: ['bob', 'cy'], roles: ['user'] }))).toBe('bob, cy, anybody of role user or an operator')
  expect(answerers(lock('a', { roles: ['operator'] }))).toBe('an operator')
})

test('a question is news once, and none is at the first look', () => {
  const news = createNews()
  expect(news([lock('a')])).toEqual([])
  expect(ids(news([lock('a'), lock('b')]))).toEqual(['b'])
  expect(news([lock('b')])).toEqual([])
  expect(news([lock('a'), lock('b')])).toEqual([])
})
