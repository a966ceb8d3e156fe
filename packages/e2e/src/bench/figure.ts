/**
 * One measured figure. `baseline` is what it is compared with in the same run (null: the goal is absolute), `ratio` figure over baseline. `holds` is null where there is no goal: the
 * figure was measured elsewhere and stands here for comparison.
 */
export type Figure = {
  readonly name: string
  readonly figure: number
  readonly unit: string
  readonly baseline: number | null
  readonly ratio: number | null
  readonly goal: string
  readonly holds: boolean | null
}

/** A figure that must reach `times` its baseline, both measured in this run. */
export function atLeastTimes(name: string, figure: number, unit: string, baseline: number, times: number): Figure {
  const ratio = figure / baseline
  return { name, figure, unit, baseline, ratio, goal: `≥ ${times} × baseline`, holds: ratio >= times }
}

/** A figure that must not be above `times` its baseline, both measured in this run. */
export function atMostTimes(name: string, figure: number, unit: string, baseline: number, times: number): Figure {
  const ratio = figure / baseline
  return { name, figure, unit, baseline, ratio, goal: `≤ ${times} × baseline`, holds: ratio <= times }
}

/** A figure that must not be above a limit. */
export function atMost(name: string, figure: number, unit: string, limit: number): Figure {
  return { name, figure, unit, baseline: null, ratio: null, goal: `≤ ${limit} ${unit}`, holds: figure <= limit }
}

/** A figure that must not be below a limit. */
export function atLeast(name: string, figure: number, unit: string, limit: number): Figure {
  return { name, figure, unit, baseline: null, ratio: null, goal: `≥ ${limit} ${unit}`, holds: figure >= limit }
}

/** A figure of somebody else, measured on another day on this kind of machine: for comparison only. */
export function elsewhere(name: string, figure: number, unit: string): Figure {
  return { name, figure, unit, baseline: null, ratio: null, goal: 'measured elsewhere', holds: null }
}

/** A figure without a goal, told beside the others. */
export function noted(name: string, figure: number, unit: string, baseline: number | null = null): Figure {
  return { name, figure, unit, baseline, ratio: baseline === null ? null : figure / baseline, goal: '', holds: null }
}

/** The value below which `share` (0 to 1) of the samples lie. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
