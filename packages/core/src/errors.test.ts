// Goal: an error tells its caller what to do, keeps its cause and is told apart by code, not by text. Method: each class once.
import { expect, test } from 'vitest'
import { assert, AssertionError, assertNever, FencedError, KocoError, must, PoisonError, RefusedError, UnavailableError } from './errors.ts'

test.each([
  [UnavailableError, 'retry'],
  [FencedError, 'stop'],
  [RefusedError, 'correct'],
  [PoisonError, 'report'],
] as const)('%o asks its caller to %s', (Class, reaction) => {
  const cause = new Error('below')
  const error = new Class('what and what to do', { code: 'some_code', cause, details: { n: 1 } })
  expect(error).toBeInstanceOf(KocoError)
  expect(error).toMatchObject({ name: Class.name, reaction, code: 'some_code', cause, details: { n: 1 }, message: 'what and what to do' })
  expect('cause' in new Class('m', { code: 'c' })).toBe(false)
})

test('must gives the value, also a falsy one, and names what is missing', () => {
  expect([must(0, 'n'), must('', 's'), must(false, 'b')]).toEqual([0, '', false])
  expect(() => must(null, 'the seal')).toThrow(new AssertionError('the seal is missing'))
  expect(() => must(undefined, 'the seal')).toThrow(AssertionError)
})

test('assert throws with its message, assertNever names the value', () => {
  expect(() => assert(0, 'order')).toThrow(new AssertionError('order'))
  expect(() => assertNever('x' as never)).toThrow('unexpected value: "x"')
})
