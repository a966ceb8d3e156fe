import type { EventRecord, Position } from '@koco/core'
import { comparePositions } from '@koco/core'
import { type StoredChunk, unpackChunk } from './chunk.ts'
import type { Db } from './connection.ts'
import type { RunFiles } from './run-files.ts'
import type { RunRow } from './run-rows.ts'

/** Where the records of a run lie. */
export type StoredRun = Pick<RunRow, 'id' | 'home' | 'fileTop'> & { readonly fid: string }

/** A stretch of stored records; `complete`: there is nothing stored behind it. */
export type Stretch = { readonly records: readonly EventRecord[]; readonly complete: boolean }

/** Room for the chunks that one look takes from `index.db`, in characters; at least one chunk is read. */
const CHUNKS_SIZE_MAX = 4 << 20

/** Everything that is stored of a run, from its chunks and its file together, fenced records too. */
export class StoredRecords {
  readonly #files: RunFiles
  readonly #after
  readonly #range

  constructor(db: Db, files: RunFiles) {
    this.#files = files
    const columns = 'epoch, first_seq AS first, last_seq AS last, head, body'
    this.#after = db.prepare<unknown[], StoredChunk>(
      `SELECT ${columns} FROM chunks WHERE run = ? AND epoch >= ? AND (epoch > ? OR last_seq > ?) ORDER BY epoch, first_seq`,
    )
    this.#range = db.prepare<unknown[], StoredChunk>(`SELECT ${columns} FROM chunks WHERE run = ? AND epoch = ? AND first_seq <= ? AND last_seq >= ?`)
  }

  /**
   * The records after a position, in order, at most `limit`. Call it in a transaction, or so that the chunks are read before the file: a chunk is deleted only after the file has it, so what is no
   * longer here is there.
   */
  after(run: StoredRun, after: Position, limit: number): Stretch {
    const chunked = this.#fromChunks(run, after, limit)
    if (run.home === null || comparePositions(run.fileTop, after) <= 0) return chunked
    const rows = this.#files.page({ fid: run.fid, home: run.home }, after, limit)
    return merge(chunked, { records: rows, complete: rows.length < limit }, limit)
  }

  /** The records of one epoch from `first` to `last`. */
  range(run: StoredRun, epoch: number, first: number, last: number): EventRecord[] {
    const chunked = this.#range.all(run.id, epoch, last, first).flatMap(unpackChunk)
    const filed =
      run.home === null || comparePositions(run.fileTop, { epoch, seq: first }) < 0
        ? []
        : this.#files.range({ fid: run.fid, home: run.home }, epoch, first, last)
    return [...chunked.filter(({ seq }) => seq >= first && seq <= last), ...filed]
  }

  #fromChunks(run: StoredRun, after: Position, limit: number): Stretch {
    const records: EventRecord[] = []
    let size = 0
    for (const chunk of this.#after.iterate(run.id, after.epoch, after.epoch, after.seq)) {
      if (records.length >= limit || size > CHUNKS_SIZE_MAX) return { records, complete: false }
      size += chunk.body.length
      const unpacked = unpackChunk(chunk)
      const skip = chunk.epoch === after.epoch ? Math.max(0, after.seq + 1 - chunk.first) : 0
      records.push(...(skip > 0 ? unpacked.slice(skip) : unpacked))
    }
    return { records, complete: true }
  }
}

/** Both in order, a record that is in both once; cut where one of them does not go on although it has more. */
function merge(a: Stretch, b: Stretch, limit: number): Stretch {
  if (b.complete && b.records.length === 0) return a
  const records: EventRecord[] = []
  let [i, j] = [0, 0]
  while (records.length < limit) {
    const [left, right] = [a.records[i], b.records[j]]
    if ((!left && !a.complete) || (!right && !b.complete)) break
    const order = !left ? 1 : !right ? -1 : comparePositions(left, right)
    const record = order <= 0 ? left : right
    if (!record) break
    records.push(record)
    if (order <= 0) i++
    if (order >= 0) j++
  }
  return { records, complete: a.complete && b.complete && i >= a.records.length && j >= b.records.length }
}
