import fc from 'fast-check'
import type { Json, NewRun } from '@koco/core'
import { RunScript, type Choices, type RecordedRun } from './run-script.ts'
import { json, NASTY_TEXTS } from './values.ts'

const CHOICES_MAX = 400

/** Whole legal runs with several epochs, for stores and folds; shrinks to fewer and tamer events. */
export function recordedRuns(eventsMax = 60): fc.Arbitrary<RecordedRun> {
  const parts = { fid: fid(), choices: fc.array(fc.nat({ max: 999 }), { maxLength: CHOICES_MAX }), values: fc.array(json(), { minLength: 1, maxLength: 8 }) }
  return fc.record(parts).map(({ fid: id, choices, values }) => {
    const script = new RunScript(newRun(id, values[0] ?? null), listed(choices, values))
    for (let round = 0; round < choices.length && script.length < eventsMax; round++) script.advance()
    return script.recorded()
  })
}

/** A run id. */
export function fid(): fc.Arbitrary<string> {
  return fc.stringMatching(/^[0-9a-f]{24}$/)
}

/** The same run for the same seed, with `events` rows or a few more; everything that `recordedRuns` has, nasty texts too. */
export function recordedRun(seed: number, events: number): RecordedRun {
  const random = seededRandom(seed)
  const value = () => NASTY_TEXTS[Math.floor(random() * NASTY_TEXTS.length)] ?? null
  const script = new RunScript(newRun(fidOf(seed), { city: 'Bern' }), { choose: (n) => Math.floor(random() * n), value })
  while (script.length < events) script.advance()
  return script.recorded()
}

/** One finished try of exactly `events` rows (at least 8) whose bodies are about `bytes` long: what benches and load tests write. */
export function plainRun(seed: number, events: number, bytes = 430): RecordedRun {
  const random = seededRandom(seed)
  const script = new RunScript(newRun(fidOf(seed), {}), { choose: () => 0, value: () => 'done' })
  const words = Array.from({ length: 64 }, () => Math.floor(random() * 36 ** 8).toString(36))
  const body = (row: number) => {
    let text = `event ${row}:`
    while (text.length < bytes - 32) text += ` ${words[Math.floor(random() * words.length)]}`
    return text
  }
  while (script.length < events - 2) script.say(body(script.length))
  script.finish()
  return script.recorded()
}

function newRun(id: string, inputs: Json): NewRun {
  return { fid: id, flow: 'trip-planner', version: '1', user: 'ann', summary: 'A trip', tags: ['travel'], parent: null, inputs, createdAt: 1_790_000_000 }
}

function fidOf(seed: number): string {
  const random = seededRandom(seed)
  return '6ab13b80' + Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join('')
}

/** Choices from a list, zeros at its end: a shorter list is a simpler run. */
function listed(choices: readonly number[], values: readonly Json[]): Choices {
  let next = 0
  const choose = (n: number) => (choices[next++] ?? 0) % n
  return { choose, value: () => values[choose(values.length)] ?? null }
}

/** mulberry32: numbers in [0, 1), the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
