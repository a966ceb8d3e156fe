import type { WriteResult } from '../port/events.ts'

/**
 * The runs of a write whose replaced process had events folded before the seal came that disowns them. Those stay folded, as a reader has seen them; a full replay, which sees the seal first, leaves them out: there alone both
 * differ.
 */
export function foldedEarly({ alarms }: Pick<WriteResult, 'alarms'>): string[] {
  return alarms.filter(({ alarm, note }) => alarm === 'fenced' && note.includes('folded already')).map(({ fid }) => fid)
}
