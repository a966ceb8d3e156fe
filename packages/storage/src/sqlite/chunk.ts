import type { EventRecord, Position } from '@koco/core'
import { comparePositions, contentOf } from '@koco/core'
import { isQuiet } from '../projection.ts'

/**
 * Records of consecutive positions of one epoch as two texts: the form in which they cross threads and lie in `index.db` until they are filed.
 * `quiet`: folding them only counts, and they name no content. `body` is their data end to end, `head` the JSON array of ts, kind, step and data length (UTF-16 units) of each.
 */
export type Chunk = {
  readonly epoch: number
  readonly first: number
  readonly last: number
  readonly quiet: boolean
  readonly head: string
  readonly body: string
}

/** A chunk as it is stored. */
export type StoredChunk = Omit<Chunk, 'quiet'>

/** Cuts records that are in position order into chunks; a position that comes twice begins a new chunk. */
export function packChunks(records: readonly EventRecord[]): Chunk[] {
  const chunks: Chunk[] = []
  let from = 0
  for (let i = 1; i <= records.length; i++) {
    const [before, record] = [records[i - 1], records[i]]
    if (before && record && record.epoch === before.epoch && record.seq === before.seq + 1) continue
    const part = from === 0 && i === records.length ? records : records.slice(from, i)
    const first = part[0]
    if (first) chunks.push(pack(part, first))
    from = i
  }
  return chunks
}

/** The records of a chunk. */
export function unpackChunk(chunk: StoredChunk): EventRecord[] {
  const head = JSON.parse(chunk.head) as (number | string | null)[]
  const records: EventRecord[] = []
  let at = 0
  for (let i = 0, seq = chunk.first; i < head.length; i += 4, seq++) {
    const end = at + (head[i + 3] as number)
    records.push({
      epoch: chunk.epoch,
      seq,
      ts: head[i] as number,
      kind: head[i + 1] as string,
      step: head[i + 2] as string | null,
      data: chunk.body.slice(at, end),
    })
    at = end
  }
  return records
}

/** About how much a chunk weighs, in characters. */
export function chunkSize(chunk: StoredChunk): number {
  return chunk.head.length + chunk.body.length
}

/** The position before the first record of a chunk. */
export function chunkStart(chunk: Chunk): Position {
  return { epoch: chunk.epoch, seq: chunk.first }
}

/** True when no position comes twice in these chunks, which are in order. */
export function areDistinct(chunks: readonly Chunk[]): boolean {
  return chunks.every((chunk, i) => {
    const before = chunks[i - 1]
    return before === undefined || comparePositions({ epoch: before.epoch, seq: before.last }, chunkStart(chunk)) < 0
  })
}

function pack(records: readonly EventRecord[], first: EventRecord): Chunk {
  const head: (number | string | null)[] = []
  let body = ''
  let quiet = true
  for (const record of records) {
    const { ts, kind, step, data } = record
    head.push(ts, kind, step, data.length)
    body += data
    quiet &&= isQuiet(kind) && contentOf(record) === undefined
  }
  return { epoch: first.epoch, first: first.seq, last: first.seq + records.length - 1, quiet, head: JSON.stringify(head), body }
}
