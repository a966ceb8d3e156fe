import type { EventRecord, Position } from '@koco/core'
import type { RunRecords } from '@koco/storage'
import type { StreamBatch, StreamEntry } from '@koco/transport'

/** The largest write in bytes of event data; a larger batch is cut into several writes. */
export const WRITE_BYTES_MAX = 8 * 1024 * 1024

/** An entry that holds no event of ours. */
export type ForeignEntry = { readonly fid: string; readonly entry: StreamEntry }

/** What a read gave, sorted: the events by run, what is none of ours, up to where to acknowledge, and how large it is. */
export type ReadBatch = {
  readonly runs: readonly RunRecords[]
  readonly foreign: readonly ForeignEntry[]
  readonly acks: readonly { readonly fid: string; readonly upTo: Position }[]
  readonly events: number
  readonly bytes: number
}

/** Sorts what a read gave. */
export function sortBatch(streams: readonly StreamBatch[]): ReadBatch {
  const runs: RunRecords[] = []
  const foreign: ForeignEntry[] = []
  const acks: { fid: string; upTo: Position }[] = []
  let events = 0
  let bytes = 0
  for (const { fid, entries } of streams) {
    const last = entries.at(-1)
    if (last === undefined) continue
    const records: EventRecord[] = []
    for (const entry of entries) {
      if (entry.record === null) foreign.push({ fid, entry })
      else {
        records.push(entry.record)
        bytes += recordBytes(entry.record)
      }
    }
    events += records.length
    if (records.length > 0) runs.push({ fid, records })
    acks.push({ fid, upTo: last.position })
  }
  return { runs, foreign, acks, events, bytes }
}

/** Cuts a batch into writes of at most `bytesMax`, in order; a single record above it still makes one. */
export function cutWrites(batch: ReadBatch, bytesMax = WRITE_BYTES_MAX): readonly (readonly RunRecords[])[] {
  if (batch.bytes <= bytesMax) return [batch.runs]
  const writes: RunRecords[][] = []
  let current: { fid: string; records: EventRecord[] }[] = []
  let size = 0
  for (const { fid, records } of batch.runs) {
    for (const record of records) {
      const bytes = recordBytes(record)
      if (size > 0 && size + bytes > bytesMax) {
        writes.push(current)
        current = []
        size = 0
      }
      if (current.at(-1)?.fid === fid) current.at(-1)?.records.push(record)
      else current.push({ fid, records: [record] })
      size += bytes
    }
  }
  writes.push(current)
  return writes
}

/** The two halves of a batch, in order: of its runs, or of the records of its only run. Undefined for a single record. */
export function halve(batch: readonly RunRecords[]): readonly [readonly RunRecords[], readonly RunRecords[]] | undefined {
  if (batch.length > 1) {
    const middle = Math.ceil(batch.length / 2)
    return [batch.slice(0, middle), batch.slice(middle)]
  }
  const only = batch[0]
  if (only === undefined || only.records.length < 2) return undefined
  const middle = Math.ceil(only.records.length / 2)
  return [[{ fid: only.fid, records: only.records.slice(0, middle) }], [{ fid: only.fid, records: only.records.slice(middle) }]]
}

// Data is mostly ASCII; the fixed part stands for position, kind and row overhead. A bound, not an account.
function recordBytes(record: EventRecord): number {
  return record.data.length + 64
}
