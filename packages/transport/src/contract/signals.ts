import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Signal, SignalBus } from '../port.ts'
import { anyFid, type OpenTransport, type TransportUnderTest } from './harness.ts'

/** The suite of signals: who hears what, and from when to when. */
export function signalsContract(open: OpenTransport): void {
  let at: TransportUnderTest
  let bus: SignalBus

  beforeEach(async () => {
    at = await open()
    bus = at.transport.signals
  })

  afterEach(() => at.close())

  const committed = (fid: string, seq: number): Signal => ({ topic: 'committed', fid, position: `1000-${seq}`, ended: false })

  /** Collects signals until one of the run `last` comes. */
  async function collect(topic: Signal['topic'], fid: string, last: Signal) {
    const heard: Signal[] = []
    const done = Promise.withResolvers<Signal[]>()
    const end = await bus.subscribe(topic, fid, (signal) => {
      heard.push(signal)
      if (JSON.stringify(signal) === JSON.stringify(last)) done.resolve(heard)
    })
    return { heard, done: done.promise, end }
  }

  test('a subscriber of one run hears that run, one of all hears every run, in order', async () => {
    const [a, b] = [anyFid(), anyFid()]
    const mine = await collect('committed', a, committed(a, 2))
    const all = await collect('committed', '*', committed(b, 9))
    await bus.publish([committed(a, 1), committed(b, 1), committed(a, 2)])
    await bus.publish([committed(b, 9)])
    expect(await mine.done).toEqual([committed(a, 1), committed(a, 2)])
    expect(await all.done).toEqual([committed(a, 1), committed(b, 1), committed(a, 2), committed(b, 9)])
  })

  test('topics do not mix', async () => {
    const fid = anyFid()
    const delta: Signal = { topic: 'delta', fid, step: 'say#1', text: 'Hel' }
    const control: Signal = { topic: 'control', fid }
    const heard: Signal = { topic: 'heard', fid }
    const session: Signal = { topic: 'session', fid: '0123456789ab' }
    const revoked: Signal = { topic: 'revoked', fid: 'user:0123' }
    const live = await collect('delta', fid, delta)
    const taken = await collect('heard', fid, heard)
    const liveAll = await collect('delta', '*', delta)
    const asked = await collect('control', fid, control)
    const talked = await collect('session', '*', session)
    const struck = await collect('revoked', '*', revoked)
    await bus.publish([committed(fid, 1), delta, { topic: 'delta', fid: anyFid(), step: null, text: 'other' }, control, heard, session, revoked])
    expect(await live.done).toEqual([delta])
    expect(await liveAll.done).toContainEqual(delta)
    expect(await asked.done).toEqual([control])
    expect(await taken.done).toEqual([heard])
    expect(await talked.done).toEqual([session])
    expect(await struck.done).toEqual([revoked])
  })

  test('an ended subscription hears nothing more, others on its channel do', async () => {
    const fid = anyFid()
    const gone = await collect('committed', fid, committed(fid, 99))
    const stays = await collect('committed', '*', committed(fid, 2))
    gone.end()
    gone.end()
    await bus.publish([committed(fid, 2)])
    await stays.done
    expect(gone.heard).toEqual([])
    const back = await collect('committed', fid, committed(fid, 3))
    await bus.publish([committed(fid, 3)])
    expect(await back.done).toEqual([committed(fid, 3)])
  })

  test('nobody listening is no error', async () => {
    await expect(bus.publish([committed(anyFid(), 1)])).resolves.toBeUndefined()
    await expect(bus.publish([])).resolves.toBeUndefined()
  })

  test('a quiet bus reports no reconnect', async () => {
    const listener = vi.fn<() => void>()
    const end = bus.onReconnect(listener)
    await bus.subscribe('control', '*', () => {})
    end()
    expect(listener).not.toHaveBeenCalled()
  })
}
