/** The part of the time axis that is looked at, in shares (0 to 1) of the whole. */
export type Lens = { readonly from: number; readonly to: number }

/** The whole axis. */
export const WHOLE: Lens = { from: 0, to: 1 }

const WIDTH_MIN = 0.0005

/** A lens between two places of the axis, whichever comes first; never narrower than a two-thousandth, never outside. */
export function between(a: number, b: number): Lens {
  const width = Math.min(1, Math.max(WIDTH_MIN, Math.abs(b - a)))
  const from = Math.min(Math.max(0, Math.min(a, b)), 1 - width)
  return { from, to: from + width }
}

/** A lens `factor` times as wide (below 1: closer), around a place that stays where it is. */
export function zoomed(lens: Lens, factor: number, around = (lens.from + lens.to) / 2): Lens {
  const width = Math.min(1, Math.max(WIDTH_MIN, (lens.to - lens.from) * factor))
  const share = (around - lens.from) / (lens.to - lens.from)
  const from = Math.min(Math.max(0, around - share * width), 1 - width)
  return { from, to: from + width }
}

/** A lens moved along by a share of its width. */
export function moved(lens: Lens, by: number): Lens {
  const width = lens.to - lens.from
  const from = Math.min(Math.max(0, lens.from + by * width), 1 - width)
  return { from, to: from + width }
}

/** Where a place of the whole axis is within the lens: 0 at its left edge, 1 at its right one. */
export function through(lens: Lens, place: number): number {
  return (place - lens.from) / (lens.to - lens.from)
}

/** True when all of the axis is seen. */
export function isWhole(lens: Lens): boolean {
  return lens.to - lens.from > 0.9999
}
