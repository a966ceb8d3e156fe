import type { EventRecord, LockState } from '@koco/core'
import { comparePositions, isEnded } from '@koco/core'
import type { WriteAlarm } from '../port/events.ts'
import { type FoldResult, foldRun, touchesLocks, unknownRun } from '../projection.ts'
import { inOrder, sameContent } from '../records.ts'
import { IMPORTED, type Tally } from '../tally.ts'
import { type BatchMessage, emptyResult, type ResultMessage, unpackBatch } from './batch-message.ts'
import { areDistinct, type Chunk, chunkSize, chunkStart, packChunks, unpackChunk } from './chunk.ts'
import type { Db } from './connection.ts'
import { contentWriter } from './contents.ts'
import { createTallyWriter } from './insights.ts'
import type { KnownRun, RunCache } from './run-cache.ts'
import type { RunFiles } from './run-files.ts'
import type { RunRows } from './run-rows.ts'
import { StoredRecords } from './stored-records.ts'

/** What lies in chunks since the filer was told: sizes in characters by the run's row. */
export type Unfiled = Map<number, { size: number; ended: boolean }>

const STATEMENTS = {
  chunk: 'INSERT INTO chunks (run, epoch, first_seq, last_seq, size, head, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
  epoch: 'INSERT OR IGNORE INTO run_epochs (run, epoch, last_seq) VALUES (?, ?, ?)',
  hole: 'INSERT OR IGNORE INTO run_holes (run, from_epoch, from_seq, to_epoch, to_seq) VALUES (?, ?, ?, ?, ?)',
  lock: `INSERT INTO locks (run, lid, status, asked_at, state) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (run, lid) DO UPDATE SET status = excluded.status, asked_at = excluded.asked_at, state = excluded.state`,
} as const

const NO_LOCKS: ReadonlyMap<string, LockState> = new Map()

/** What of a batch is new, and where the rest differs from what is stored. */
type Sorted = { readonly fresh: readonly EventRecord[]; readonly alarms: readonly WriteAlarm[] }

/** Stores events and folds them into their runs, within the caller's transaction. */
export class EventTable {
  readonly #rows: RunRows
  readonly #cache: RunCache
  readonly #stored: StoredRecords
  readonly #addTally: (tally: Tally) => void
  readonly #noteContents: ReturnType<typeof contentWriter>
  readonly #statements
  /** For the filer; the caller empties it after its commit. */
  readonly unfiled: Unfiled = new Map()

  constructor(db: Db, files: RunFiles, rows: RunRows, cache: RunCache) {
    this.#rows = rows
    this.#cache = cache
    this.#stored = new StoredRecords(db, files)
    this.#addTally = createTallyWriter(db)
    this.#noteContents = contentWriter(db)
    const { chunk, epoch, hole, lock } = STATEMENTS
    this.#statements = { chunk: db.prepare(chunk), epoch: db.prepare(epoch), hole: db.prepare(hole), lock: db.prepare(lock) }
  }

  write(batch: BatchMessage): ResultMessage {
    const result = emptyResult()
    for (const { fid, chunks } of unpackBatch(batch)) {
      const known = this.#cache.find(fid) ?? this.#cache.add(this.#rows.insert(unknownRun(fid), '', null))
      const [inserted, duplicates] = this.#writeRun(known, chunks, result.alarms)
      const { lastPosition, status } = known.row.state
      result.epochs.push(lastPosition.epoch)
      result.seqs.push(lastPosition.seq)
      result.ended.push(isEnded(status))
      result.inserted.push(inserted)
      result.duplicates.push(duplicates)
    }
    return result
  }

  /** Stores records without folding them; what is there stays. */
  add(fid: string, records: readonly EventRecord[]): void {
    const known = this.#cache.find(fid) ?? this.#cache.add(this.#rows.insert(unknownRun(fid), '', null))
    const { fresh } = this.#sort(known, inOrder(records))
    if (fresh.length > 0) this.#insertChunks(known.row.id, packChunks(fresh), false)
    this.#noteContents(fid, fresh)
  }

  /** Gives how many records were new and how many were there. */
  #writeRun(known: KnownRun, chunks: readonly Chunk[], alarms: WriteAlarm[]): [number, number] {
    const { waiting, state } = known.row
    // Nothing is stored above the last position unless the row says so: what lies above it is new without a look.
    const [first] = chunks
    const isNew = !waiting && first !== undefined && comparePositions(chunkStart(first), state.lastPosition) > 0 && areDistinct(chunks)
    if (isNew && chunks.length === 1 && this.#count(known, first)) return [first.last - first.first + 1, 0]
    const records = chunks.length === 1 && first ? unpackChunk(first) : chunks.flatMap(unpackChunk)
    if (isNew) {
      this.#store(known, chunks, records, records, alarms)
      return [records.length, 0]
    }
    const { fresh, alarms: conflicts } = this.#sort(known, records)
    alarms.push(...conflicts)
    if (fresh.length > 0) this.#store(known, packChunks(fresh), fresh, waiting ? this.#withWaiting(known, fresh) : fresh, alarms)
    return [fresh.length, records.length - fresh.length]
  }

  /** The commonest case without the fold, to the same end: the next records of the epoch, and none that does more than count. */
  #count(known: KnownRun, chunk: Chunk): boolean {
    const { row } = known
    const { lastPosition, events, status } = row.state
    if (!chunk.quiet || chunk.epoch !== lastPosition.epoch || chunk.first !== lastPosition.seq + 1) return false
    this.#insertChunks(row.id, [chunk], isEnded(status))
    const state = { ...row.state, events: events + chunk.last - chunk.first + 1, lastPosition: { epoch: chunk.epoch, seq: chunk.last } }
    known.row = this.#rows.save(row, state, row.topEpoch, false)
    return true
  }

  #store(known: KnownRun, chunks: readonly Chunk[], fresh: readonly EventRecord[], records: readonly EventRecord[], alarms: WriteAlarm[]): void {
    const locks = touchesLocks(records) ? this.#cache.locksOf(known) : NO_LOCKS
    const fold = foldRun(known.row.state, locks, records)
    this.#insertChunks(known.row.id, chunks, isEnded(fold.state.status))
    this.#noteContents(fold.state.fid, fresh)
    this.#saveFold(known, fold, Math.max(known.row.topEpoch, fresh.at(-1)?.epoch ?? 0))
    alarms.push(...fold.alarms)
  }

  #insertChunks(run: number, chunks: readonly Chunk[], ended: boolean): void {
    let added = 0
    for (const chunk of chunks) {
      const size = chunkSize(chunk)
      this.#statements.chunk.run(run, chunk.epoch, chunk.first, chunk.last, size, chunk.head, chunk.body)
      added += size
    }
    this.unfiled.set(run, { size: (this.unfiled.get(run)?.size ?? 0) + added, ended })
  }

  #saveFold(known: KnownRun, fold: FoldResult, topEpoch: number): void {
    const { row } = known
    for (const lock of fold.locks) {
      this.#statements.lock.run(row.id, lock.lid, lock.status, lock.askedAt, JSON.stringify(lock))
      known.locks?.set(lock.lid, lock)
    }
    if (row.launcher !== IMPORTED) this.#addTally(fold.tally)
    for (const { epoch, lastSeq } of fold.closed) this.#statements.epoch.run(row.id, epoch, lastSeq)
    for (const { from, to } of fold.holes) this.#statements.hole.run(row.id, from.epoch, from.seq, to.epoch, to.seq)
    known.row = this.#rows.save(row, fold.state, topEpoch, fold.waiting > 0)
  }

  /** Tells new records from those that are stored. The first at a position stays, within the batch too. */
  #sort(known: KnownRun, records: readonly EventRecord[]): Sorted {
    const fresh: EventRecord[] = []
    const alarms: WriteAlarm[] = []
    const taken = new Map<string, EventRecord>()
    for (const chunk of packChunks(records)) {
      for (const record of this.#stored.range({ ...known.row, fid: known.row.state.fid }, chunk.epoch, chunk.first, chunk.last)) taken.set(key(record), record)
    }
    for (const record of records) {
      const there = taken.get(key(record))
      if (!there) {
        taken.set(key(record), record)
        fresh.push(record)
      } else if (!sameContent(there, record)) alarms.push(conflict(known.row.state.fid, there, record))
    }
    return { fresh, alarms }
  }

  /** The new records and all that wait above the last position, in order. */
  #withWaiting(known: KnownRun, fresh: readonly EventRecord[]): readonly EventRecord[] {
    const run = { ...known.row, fid: known.row.state.fid }
    const { records } = this.#stored.after(run, known.row.state.lastPosition, Number.MAX_SAFE_INTEGER)
    return inOrder([...records, ...fresh])
  }
}

function key({ epoch, seq }: EventRecord): string {
  return `${epoch}-${seq}`
}

function conflict(fid: string, there: EventRecord, record: EventRecord): WriteAlarm {
  const { epoch, seq } = record
  const note = `stored: ${there.kind} ${there.data.slice(0, 200)}; refused: ${record.kind} ${record.data.slice(0, 200)}`
  return { fid, position: { epoch, seq }, alarm: 'conflict', note }
}
