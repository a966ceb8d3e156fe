// Goal: a drawn family shows what continues what, each branch in a lane of its own, a fork where lanes meet. Method: small families whose drawing is known.
import type { Checkpoint } from '@koco/core/api'
import { expect, test } from 'vitest'
import { layLanes } from './lanes.ts'

const one = (id: string, parent: string | null = null, merged: string | null = null) => ({
  checkpoint: { id, parent_id: parent, merged_id: merged } as Checkpoint,
})
const drawn = (...nodes: { checkpoint: Checkpoint }[]) => layLanes(nodes).map(({ checkpoint, lane, to }) => [checkpoint.id, lane, to.map(({ row }) => row)])

test('a chain has one lane', () => {
  expect(drawn(one('a'), one('b', 'a'), one('c', 'b'))).toEqual([
    ['c', 0, [1]],
    ['b', 0, [2]],
    ['a', 0, []],
  ])
})

test('branches have lanes of their own and meet where they part', () => {
  expect(drawn(one('root'), one('left', 'root'), one('right', 'root'), one('left2', 'left'))).toEqual([
    ['left2', 0, [2]],
    ['right', 1, [3]],
    ['left', 0, [3]],
    ['root', 0, []],
  ])
})

test('a merge continues both', () => {
  expect(drawn(one('root'), one('a', 'root'), one('b', 'root'), one('m', 'a', 'b'))).toEqual([
    ['m', 0, [2, 1]],
    ['b', 1, [3]],
    ['a', 0, [3]],
    ['root', 0, []],
  ])
})

test('a lane that ended is used again; what is not there is not drawn to', () => {
  expect(drawn(one('x'), one('y'), one('z', 'gone'))).toEqual([
    ['z', 0, []],
    ['y', 0, []],
    ['x', 0, []],
  ])
})
