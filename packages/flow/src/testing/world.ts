import type { Json } from '@koco/core'
import type { LockAnswer } from '@koco/storage'
import type { Clock } from '../clock.ts'

/** What a test answers to the locks of a name: a value, or a function of the lock's data and how often the name was asked (from 1). `EXPIRE`: nobody answers in time. */
export type TestAnswer = Json | typeof EXPIRE | ((data: Json, asked: number) => Json | typeof EXPIRE)

/** The answer of nobody: the lock expires. */
export const EXPIRE: unique symbol = Symbol('expire')

/** A clock that a test moves: waiting costs no time when `skip` is called, and short waits pass as they are. */
export class TestClock implements Clock {
  #now: number
  readonly #skipAll: boolean

  /** `skipAll`: every timer rings at once, its time having passed. */
  constructor(startMs: number, skipAll: boolean) {
    this.#now = startMs
    this.#skipAll = skipAll
  }

  now(): number {
    return this.#now
  }

  /** Moves the clock forward to a time. */
  skipTo(ms: number): void {
    this.#now = Math.max(this.#now, ms)
  }

  timer(ms: number, ring: () => void): () => void {
    const due = this.#now + ms
    const handle = setTimeout(
      () => {
        this.skipTo(due)
        ring()
      },
      this.#skipAll ? 0 : Math.min(ms, 2 ** 31 - 1),
    )
    return () => clearTimeout(handle)
  }
}

/** The people of a test: answer the locks that they are asked. */
export class TestPeople {
  readonly #table: Readonly<Record<string, TestAnswer>>
  readonly #asked = new Map<string, number>()
  readonly #answers: LockAnswer[] = []
  /** Locks that nobody has an answer for, by name. */
  readonly silent: string[] = []

  constructor(table: Readonly<Record<string, TestAnswer>>) {
    this.#table = table
  }

  get answers(): readonly LockAnswer[] {
    return this.#answers
  }

  /** Asks them. */
  ask(lid: string, name: string, data: Json, at: number): void {
    const asked = (this.#asked.get(name) ?? 0) + 1
    this.#asked.set(name, asked)
    const entry = Object.hasOwn(this.#table, name) ? this.#table[name] : undefined
    const answer = typeof entry === 'function' ? entry(data, asked) : entry
    if (answer === undefined) this.silent.push(name)
    else if (answer !== EXPIRE) this.#answers.push({ lid, answer, by: 'test', at })
  }
}

/** A repeatable source of chance: numbers from 0 to below 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A UUID (version 4) of repeatable chance. */
export function seededUuid(random: () => number): string {
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () => Math.floor(random() * 16).toString(16))
}
