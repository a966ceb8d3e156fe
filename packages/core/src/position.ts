/**
 * Where an event stands in its run: the writer's epoch (ms since 1970), then 1, 2, 3 … within it. The one cursor of the system:
 * entry id in Redis, key in the stores, `id:` of a live frame, cursor of the API.
 */
export type Position = { readonly epoch: number; readonly seq: number }

/** Before the first event of any run. */
export const ORIGIN: Position = { epoch: 0, seq: 0 }

const PATTERN = /^(0|[1-9]\d{0,15})-(0|[1-9]\d{0,15})$/

/** `<epoch>-<seq>`. */
export function formatPosition(position: Position): string {
  return `${position.epoch}-${position.seq}`
}

/** The position that a text names, or undefined when it is not one (signs, leading zeros, numbers above 2^53-1). */
export function parsePosition(text: string): Position | undefined {
  const match = PATTERN.exec(text)
  if (!match) return undefined
  const epoch = Number(match[1])
  const seq = Number(match[2])
  return Number.isSafeInteger(epoch) && Number.isSafeInteger(seq) ? { epoch, seq } : undefined
}

/** Negative, zero or positive, as for Array.sort. */
export function comparePositions(a: Position, b: Position): number {
  return a.epoch - b.epoch || a.seq - b.seq
}
