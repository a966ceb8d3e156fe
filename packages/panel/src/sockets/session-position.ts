import { formatPosition, isFid, parsePosition, type Position } from '@koco/core'

/** How far a client has followed a session: which turn (its run), and up to which of the run's events. */
export type SessionPosition = { readonly turn: string; readonly at: Position }

/** As text: `<fid>/<epoch>-<seq>`. */
export function formatSessionPosition({ turn, at }: SessionPosition): string {
  return `${turn}/${formatPosition(at)}`
}

/** Reads it; undefined for what is none. */
export function parseSessionPosition(text: string): SessionPosition | undefined {
  const slash = text.indexOf('/')
  const turn = text.slice(0, slash)
  const at = parsePosition(text.slice(slash + 1))
  return isFid(turn) && at ? { turn, at } : undefined
}
