import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { LeaseCounter } from '../port.ts'
import type { OpenTransport, TransportUnderTest } from './harness.ts'

/** The suite of counted leases. The transport under test has short ones. */
export function leasesContract(open: OpenTransport): void {
  let at: TransportUnderTest
  let leases: LeaseCounter

  beforeEach(async () => {
    at = await open()
    leases = at.transport.leases
  })

  afterEach(() => at.close())

  const ann = (holder: string) => ({ name: 'ann', holder })

  test('of many who ask at once no more than allowed get one, and each name counts for itself', async () => {
    const got = await Promise.all(Array.from({ length: 20 }, (_, n) => leases.take(ann(`c${n}`), 3)))
    expect(got.filter(Boolean)).toHaveLength(3)
    expect(await leases.count('ann')).toBe(3)
    expect(await leases.take({ name: 'bob', holder: 'c0' }, 3)).toBe(true)
    expect(await leases.count('nobody')).toBe(0)
  })

  test('one that is given back makes room for one; who has one may ask again', async () => {
    for (const holder of ['a', 'b']) expect(await leases.take(ann(holder), 2)).toBe(true)
    expect(await leases.take(ann('a'), 2)).toBe(true)
    expect(await leases.take(ann('c'), 2)).toBe(false)
    await leases.release(ann('a'))
    await leases.release(ann('a'))
    expect(await leases.take(ann('c'), 2)).toBe(true)
    expect(await leases.take(ann('d'), 2)).toBe(false)
  })

  test('one that nobody renews is gone after its life; one that is renewed stays', async () => {
    for (const holder of ['dead', 'alive']) await leases.take(ann(holder), 2)
    await vi.waitFor(
      async () => {
        await leases.renew([ann('alive')])
        expect(await leases.take(ann('new'), 2)).toBe(true)
      },
      { timeout: 25_000, interval: leases.lifeMs / 5 },
    )
    expect(await leases.count('ann')).toBe(2)
    await leases.release(ann('new'))
    expect(await leases.count('ann')).toBe(1)
  })

  test('one that was lost stands again when it is renewed, though others came meanwhile', async () => {
    await leases.renew([ann('old'), { name: 'bob', holder: 'x' }])
    await leases.renew([])
    expect(await leases.take(ann('new'), 1)).toBe(false)
    expect([await leases.count('ann'), await leases.count('bob')]).toEqual([1, 1])
  })
}
