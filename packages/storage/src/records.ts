import type { EventRecord, Position } from '@koco/core'
import { comparePositions, formatPosition, isFid, PoisonError } from '@koco/core'
import type { RunRecords } from './port/events.ts'

/** Throws PoisonError `bad_record` for what no store can hold: a wrong fid, a position that is none, a time that is no number, text with NUL or lone surrogates. */
export function checkBatch(batch: readonly RunRecords[]): void {
  for (const { fid, records } of batch) {
    if (!isFid(fid)) throw poison(`"${fid.slice(0, 80)}" is not a run id (24 lower-case hex digits)`)
    for (const record of records) checkRecord(fid, record)
  }
}

/** True when two records at one position say the same. `prev` of a seal is part of the data, so it counts. */
export function sameContent(a: EventRecord, b: EventRecord): boolean {
  return a.kind === b.kind && a.ts === b.ts && a.step === b.step && a.data === b.data
}

/** The records in position order, later ones of equal position behind; the same array when it is in order already. */
export function inOrder(records: readonly EventRecord[]): readonly EventRecord[] {
  for (let i = 1; i < records.length; i++) {
    const [before, record] = [records[i - 1], records[i]]
    if (before && record && comparePositions(before, record) > 0) return records.toSorted(comparePositions)
  }
  return records
}

function checkRecord(fid: string, record: EventRecord): void {
  const { epoch, seq, ts, kind, step, data } = record
  if (!isCount(epoch) || !isCount(seq)) throw poison(`run ${fid} has a record at ${String(epoch)}-${String(seq)}, which is no position`)
  if (!Number.isFinite(ts)) throw poison(`${at(fid, record)} has the time ${String(ts)}; unix seconds are needed`)
  if (!isText(kind) || !isText(data) || !(step === null || isText(step)))
    throw poison(`${at(fid, record)} has text that no store can hold (NUL or a lone surrogate)`)
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && !value.includes('\0') && value.isWellFormed()
}

function at(fid: string, position: Position): string {
  return `event ${formatPosition(position)} of run ${fid}`
}

function poison(message: string): PoisonError {
  return new PoisonError(`A record cannot be stored: ${message}. Set it aside as a dead event.`, { code: 'bad_record' })
}
