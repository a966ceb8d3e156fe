// Goal: any number of alarms ring once each, in time order, on one timer. Method: random sets, replacements and clears against a clock that the test moves, compared with a sorted list.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Clock } from '../clock.ts'
import { Alarms } from './alarms.ts'

/** A clock that rings its one timer when it is moved there. */
class HandClock implements Clock {
  #now = 0
  timers = new Set<{ readonly due: number; readonly ring: () => void }>()
  now = (): number => this.#now
  timer(ms: number, ring: () => void): () => void {
    const timer = { due: this.#now + ms, ring }
    this.timers.add(timer)
    return () => this.timers.delete(timer)
  }
  move(to: number): void {
    for (;;) {
      const due = [...this.timers].filter((timer) => timer.due <= to).toSorted((a, b) => a.due - b.due)[0]
      if (!due) break
      this.timers.delete(due)
      this.#now = Math.max(this.#now, due.due)
      due.ring()
    }
    this.#now = Math.max(this.#now, to)
  }
}

test('alarms ring once, in the order of their times; the last setting of a key counts', () => {
  const change = fc.record({ key: fc.nat(8), at: fc.option(fc.nat(100), { nil: null, freq: 5 }) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const clock = new HandClock()
      const alarms = new Alarms(clock)
      const rung: [number, number][] = []
      const set = new Map<number, number>()
      for (const { key, at } of changes) {
        if (at === null) alarms.clear(String(key))
        else alarms.set(String(key), at, () => rung.push([key, clock.now()]))
        if (at === null) set.delete(key)
        else set.set(key, at)
        expect(clock.timers.size).toBeLessThanOrEqual(1)
      }
      clock.move(100)
      expect(rung.map(([, at]) => at)).toEqual([...set.values()].toSorted((a, b) => a - b))
      expect(new Map(rung)).toEqual(set)
      expect(alarms.size).toBe(0)
    }),
  )
})
