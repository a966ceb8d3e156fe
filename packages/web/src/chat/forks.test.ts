// Goal: the tree of forks is whole from wherever one looks. Method: small families.
import type { Session } from '@koco/core/api'
import { expect, test } from 'vitest'
import { forksOf } from './forks.ts'

const session = (id: string, parent: string | null, at: number): Session => ({
  session_id: id,
  title: id,
  model: null,
  workspace: null,
  personality: null,
  project_id: null,
  flow: null,
  pinned: false,
  archived: false,
  parent_session_id: parent,
  message_count: 0,
  created_at: at,
  updated_at: at,
  revision: 1,
  redoable: 0,
  queued: 0,
  active_stream_id: null,
})
const FAMILY = [session('c', 'b', 3), session('a', null, 1), session('d', 'a', 4), session('b', 'a', 2), session('else', null, 5)]
const drawn = (id: string) => forksOf(id, FAMILY).map(({ session: { session_id: name }, depth }) => `${name}${depth}`)

test('every member sees the same tree, in order of age', () => {
  for (const id of ['a', 'b', 'c', 'd']) expect(drawn(id)).toEqual(['a0', 'b1', 'c2', 'd1'])
  expect(drawn('else')).toEqual(['else0'])
})

test('a parent that is gone makes its child the first', () => {
  expect(forksOf('x', [session('x', 'gone', 1)]).map(({ depth }) => depth)).toEqual([0])
  expect(forksOf('nobody', FAMILY)).toEqual([])
})
