import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Json } from '@koco/core'
import type { Handover } from '../port.ts'
import type { OpenTransport, TransportUnderTest } from './harness.ts'

const LONG_MS = 20_000
const SHORT_MS = 50

/** The suite of requests to one process: who takes them, and what who asks hears. */
export function handoverContract(open: OpenTransport): void {
  let at: TransportUnderTest
  let handover: Handover

  beforeEach(async () => {
    at = await open()
    handover = at.transport.handover
  })

  afterEach(() => at.close())

  const echo = (who: string) => vi.fn<(request: Json) => Promise<Json>>(async (request) => ({ who, request }))

  test('a request goes to the one who is named, and its answer to who asked, however many there are at once', async () => {
    const [ann, bob] = [echo('ann'), echo('bob')]
    await handover.serve('ann', ann)
    await handover.serve('bob', bob)
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => handover.ask(n % 2 === 0 ? 'ann' : 'bob', { n }, LONG_MS)))
    expect(answers).toEqual(Array.from({ length: 40 }, (_, n) => ({ who: n % 2 === 0 ? 'ann' : 'bob', request: { n } })))
    expect([ann.mock.calls.length, bob.mock.calls.length]).toEqual([20, 20])
  })

  test('nobody there: told at once, not after the time; the same once who served has ended', async () => {
    expect(await handover.ask('ann', null, LONG_MS)).toBeUndefined()
    const end = await handover.serve('ann', echo('ann'))
    expect(await handover.ask('ann', 1, LONG_MS)).toEqual({ who: 'ann', request: 1 })
    end()
    end()
    expect(await handover.ask('ann', 2, LONG_MS)).toBeUndefined()
  })

  test('null, false and empty are answers; one that is refused or late is none', async () => {
    const release = Promise.withResolvers<void>()
    await handover.serve('ann', async (request) => {
      if (request === 'refuse') throw new Error('no')
      if (request === 'late') await release.promise
      return request
    })
    for (const some of [null, false, '', 0]) expect(await handover.ask('ann', some, LONG_MS)).toBe(some)
    expect(await handover.ask('ann', 'refuse', LONG_MS)).toBeUndefined()
    expect(await handover.ask('ann', 'late', SHORT_MS)).toBeUndefined()
    release.resolve()
    expect(await handover.ask('ann', 'next', LONG_MS)).toBe('next')
  })
}
