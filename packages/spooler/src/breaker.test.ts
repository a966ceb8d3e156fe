// Goal: an outage makes one caller at a time try, and nobody gives up. Method: a store that fails a set number of times, and two callers at once.
import { PoisonError, UnavailableError } from '@koco/core'
import { expect, test } from 'vitest'
import { Breaker } from './breaker.ts'

const away = () => new UnavailableError('the store is away', { code: 'away' })
const backoff = { first: 1, last: 2, random: () => 0.5 }

function createStore(failures: number) {
  const state = { calls: 0, atOnce: 0, mostAtOnce: 0 }
  const operation = async () => {
    state.calls++
    state.mostAtOnce = Math.max(state.mostAtOnce, ++state.atOnce)
    await Promise.resolve()
    state.atOnce--
    if (state.calls <= failures) throw away()
    return state.calls
  }
  return { state, operation }
}

test('an operation is repeated until the store is back, and both changes are told once', async () => {
  const told: boolean[] = []
  const breaker = new Breaker(backoff, (open) => told.push(open))
  const { operation } = createStore(3)
  await expect(breaker.run(operation, new AbortController().signal)).resolves.toBe(4)
  expect(told).toEqual([true, false])
  expect(breaker.open).toBe(false)
})

test('while it is open only one of several callers tries', async () => {
  const breaker = new Breaker(backoff, () => {})
  const { state, operation } = createStore(6)
  await breaker.run(() => Promise.reject(away()), AbortSignal.timeout(1)).catch(() => {})
  expect(breaker.open).toBe(true)
  const signal = new AbortController().signal
  await Promise.all([breaker.run(operation, signal), breaker.run(operation, signal)])
  expect(state.calls).toBe(8)
  expect(state.mostAtOnce).toBe(1)
})

test('an error that no waiting mends goes through at once', async () => {
  const breaker = new Breaker(backoff, () => {})
  const poison = new PoisonError('a bad record', { code: 'bad' })
  await expect(breaker.run(() => Promise.reject(poison), new AbortController().signal)).rejects.toBe(poison)
  expect(breaker.open).toBe(false)
})

test('an abort ends the waiting of the probe and of those behind it', async () => {
  const breaker = new Breaker({ first: 60_000, last: 60_000, random: () => 1 }, () => {})
  const stop = new AbortController()
  const both = [breaker.run(() => Promise.reject(away()), stop.signal), breaker.run(() => Promise.reject(away()), stop.signal)]
  await Promise.resolve()
  stop.abort(new Error('stopped'))
  for (const one of both) await expect(one).rejects.toThrow('stopped')
})
