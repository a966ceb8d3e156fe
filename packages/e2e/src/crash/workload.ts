import type { Dice } from './dice.ts'

/** What one run emits: `events` numbered events in steps of `burst`, each step `pauseMs` long. `readers`: people who follow it live. */
export type Load = { readonly events: number; readonly burst: number; readonly pauseMs: number; readonly readers: number }

/** What runs while a fault is held. */
export type Workload = { readonly name: string; readonly runs: readonly Load[] }

const times = (count: number, load: Load): Load[] => Array.from({ length: count }, () => load)

/** Ends soon: many of these end in the middle of a fault. */
const SHORT: Load = { events: 60, burst: 10, pauseMs: 250, readers: 1 }
const LONG: Load = { events: 480, burst: 40, pauseMs: 250, readers: 2 }
/** As fast as it may. */
const HOT: Load = { events: 12_000, burst: 400, pauseMs: 50, readers: 1 }

const WORKLOADS: readonly Workload[] = [
  { name: 'many short runs', runs: [...times(24, SHORT), LONG] },
  { name: 'few long runs', runs: times(4, LONG) },
  { name: 'one hot run', runs: [HOT, ...times(6, SHORT), LONG] },
]

/** One of them. */
export function drawWorkload(dice: Dice): Workload {
  return dice.oneOf(WORKLOADS)
}
