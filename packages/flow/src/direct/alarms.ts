import type { Clock } from '../clock.ts'

type Alarm = { readonly key: string; readonly at: number; readonly ring: () => void }

/** Any number of alarms on one timer: a heap by time. One alarm a key; a new one takes the place of the old. */
export class Alarms {
  readonly #clock: Clock
  readonly #heap: Alarm[] = []
  readonly #current = new Map<string, Alarm>()
  #armed: { readonly at: number; readonly cancel: () => void } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#current.size
  }

  /** Rings once at a time of the clock (ms); at once when that has passed. */
  set(key: string, at: number, ring: () => void): void {
    const alarm = { key, at, ring }
    this.#current.set(key, alarm)
    this.#push(alarm)
    this.#arm()
  }

  clear(key: string): void {
    this.#current.delete(key)
  }

  clearAll(): void {
    this.#current.clear()
    this.#heap.length = 0
    this.#armed?.cancel()
    this.#armed = undefined
  }

  #arm(): void {
    const first = this.#heap[0]
    if (!first || (this.#armed && this.#armed.at <= first.at)) return
    this.#armed?.cancel()
    this.#armed = { at: first.at, cancel: this.#clock.timer(Math.max(0, first.at - this.#clock.now()), () => this.#ring()) }
  }

  #ring(): void {
    this.#armed = undefined
    for (let first = this.#heap[0]; first && first.at <= this.#clock.now(); first = this.#heap[0]) {
      this.#pop()
      // Replaced and cleared alarms stay in the heap until their time and are passed over here.
      if (this.#current.get(first.key) !== first) continue
      this.#current.delete(first.key)
      first.ring()
    }
    this.#arm()
  }

  #push(alarm: Alarm): void {
    const heap = this.#heap
    let at = heap.push(alarm) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (!above || above.at <= alarm.at) break
      heap[at] = above
      at = parent
    }
    heap[at] = alarm
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (!last || heap.length === 0) return
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const child = (heap[left + 1]?.at ?? Number.POSITIVE_INFINITY) < (heap[left]?.at ?? Number.POSITIVE_INFINITY) ? left + 1 : left
      const below = heap[child]
      if (!below || below.at >= last.at) break
      heap[at] = below
      at = child
    }
    heap[at] = last
  }
}
