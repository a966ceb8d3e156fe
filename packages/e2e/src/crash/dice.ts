import { must } from '@koco/core'
import { seededRandom } from '@koco/testing'

/** Draws of one seed: the same seed, asked in the same order, gives the same scenario. */
export type Dice = {
  /** A whole number from `min` to `max`, both possible. */
  between(min: number, max: number): number
  /** One of these. */
  oneOf<T>(things: readonly T[]): T
  /** How long a fault is held, in ms: drawn from `min` to `max`, or `min` where time is short. */
  hold(min: number, max: number): number
}

/** The dice of a seed. `brief`: faults are held as short as they may be. */
export function diceOf(seed: number, brief: boolean): Dice {
  const random = seededRandom(seed)
  const between = (min: number, max: number): number => min + Math.floor(random() * (max - min + 1))
  return {
    between,
    oneOf: (things) => must(things[between(0, things.length - 1)], 'a thing to choose'),
    hold: (min, max) => (brief ? min : between(min, max)),
  }
}
