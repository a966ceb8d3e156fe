// Goal: what is away is waited for, told of once and not at each try, and what no waiting mends ends the wait. Method: openings that fail as the stores do, with the real pauses.
import { RefusedError, UnavailableError } from '@koco/core'
import { expect, test } from 'vitest'
import { whenThere, type WaitOptions } from './when-there.ts'

const away = (code = 'store_unavailable') => new UnavailableError('Postgres is away.', { code })

/** Opens after so many failures; `tries` counts. */
function opening(...failures: Error[]) {
  const open = async (): Promise<string> => {
    open.tries++
    const failure = failures.shift()
    if (failure) throw failure
    return 'open'
  }
  open.tries = 0
  return open
}

/** A log that remembers of what it spoke. */
function watched() {
  const said: unknown[] = []
  const line = (level: string) => (details: object) => void said.push('code' in details ? details.code : level)
  return { said, log: { info: line('info'), warn: line('warn') } as unknown as WaitOptions['log'] }
}

test('it waits until all is there, and says what is away once, and when it is something else', async () => {
  const { log, said } = watched()
  const told: string[] = []
  const open = opening(away(), away(), away('redis_unavailable'))
  expect(await whenThere(open, { log, onWait: ({ code }) => void told.push(code), stop: new AbortController().signal })).toBe('open')
  expect(open.tries).toBe(4)
  expect(told).toEqual(['store_unavailable', 'store_unavailable', 'redis_unavailable'])
  expect(said).toEqual(['store_unavailable', 'redis_unavailable', 'info'])
})

test('what is there at once is not spoken of', async () => {
  const { log, said } = watched()
  expect(await whenThere(opening(), { log, stop: new AbortController().signal })).toBe('open')
  expect(said).toEqual([])
})

test('a refusal, a missing namespace and a mistake end the wait as they came', async () => {
  const stop = new AbortController().signal
  for (const error of [new RefusedError('No such database.', { code: 'database_refused' }), away('temporal_namespace'), new TypeError('a mistake')])
    await expect(whenThere(opening(away(), error), { log: watched().log, stop })).rejects.toBe(error)
})

test('a stop ends the pause, however long it is', async () => {
  const stop = new AbortController()
  const never = whenThere(() => Promise.reject(away()), { log: watched().log, stop: stop.signal, onWait: () => setImmediate(() => stop.abort()) })
  expect(await never).toBeUndefined()
})
