import type { EventRecord, Position } from '@koco/core'
import { comparePositions, isFid } from '@koco/core'
import { clampLimit } from '../cursor.ts'
import type { EventPage, EventQuery } from '../port/events.ts'
import type { Hole } from '../projection.ts'
import { searchInJson } from '../search.ts'
import type { Db } from './connection.ts'
import type { RunFiles } from './run-files.ts'
import { type RawRun, readRun, SELECT_RUN } from './run-rows.ts'
import { StoredRecords, type StoredRun } from './stored-records.ts'

const PAGE_SIZE_MAX = 1 << 20
/** Records that one call looks at when it filters. */
const SCANNED_MAX = 20_000
const STRETCH = 1000

type Timeline = StoredRun & { readonly top: Position; readonly closed: ReadonlyMap<number, number>; readonly holes: readonly Hole[] }

/** Gives a function that reads pages of timelines. */
export function createTimelineReader(db: Db, files: RunFiles): (fid: string, query: EventQuery) => EventPage {
  const stored = new StoredRecords(db, files)
  const statements = {
    run: db.prepare<[string], RawRun>(`${SELECT_RUN} WHERE fid = ?`),
    epochs: db.prepare<[number], { epoch: number; last_seq: number }>('SELECT epoch, last_seq FROM run_epochs WHERE run = ?'),
    holes: db.prepare<[number], { fe: number; fs: number; te: number; ts: number }>(
      'SELECT from_epoch AS fe, from_seq AS fs, to_epoch AS te, to_seq AS ts FROM run_holes WHERE run = ? ORDER BY from_epoch, from_seq',
    ),
  }

  const find = (fid: string): Timeline | undefined => {
    const raw = isFid(fid) ? statements.run.get(fid) : undefined
    if (!raw) return undefined
    const { id, home, fileTop, state } = readRun(raw)
    const closed = new Map(statements.epochs.all(id).map(({ epoch, last_seq }) => [epoch, last_seq]))
    const holes = statements.holes.all(id).map(({ fe, fs, te, ts }) => ({ from: { epoch: fe, seq: fs }, to: { epoch: te, seq: ts } }))
    return { id, fid, home, fileTop, top: state.lastPosition, closed, holes }
  }

  // One read transaction: a chunk that is filed meanwhile must not be missed in both places.
  return db.transaction((fid: string, query: EventQuery): EventPage => {
    const run = find(fid)
    if (!run) return { records: [], scanned: query.after, caughtUp: true, lost: [] }
    const page = collect(stored, run, query)
    const lost = run.holes.filter((hole) => comparePositions(hole.to, query.after) > 0 && comparePositions(hole.from, page.scanned) < 0)
    return { ...page, lost }
  })
}

function collect(stored: StoredRecords, run: Timeline, query: EventQuery): Omit<EventPage, 'lost'> {
  const limit = clampLimit(query.limit)
  const wants = createFilter(query)
  const records: EventRecord[] = []
  let [size, looked, scanned] = [0, 0, query.after]
  while (comparePositions(scanned, run.top) < 0) {
    const stretch = stored.after(run, scanned, wants ? STRETCH : limit + 1)
    for (const record of stretch.records) {
      if (comparePositions(record, run.top) > 0) break
      if (records.length >= limit || (size > 0 && size + record.data.length > PAGE_SIZE_MAX) || looked > SCANNED_MAX)
        return { records, scanned, caughtUp: false }
      scanned = { epoch: record.epoch, seq: record.seq }
      looked++
      if (!isInTimeline(run, record) || (wants && !wants(record))) continue
      records.push(record)
      size += record.data.length
    }
    if (stretch.complete) break
  }
  const past = comparePositions(scanned, run.top) < 0 ? run.top : scanned
  return { records, scanned: past, caughtUp: true }
}

/** False for fenced records: above the seal of their epoch, in a declared hole, of an epoch that never counted. */
function isInTimeline(run: Timeline, record: EventRecord): boolean {
  if (record.epoch !== run.top.epoch && record.seq > (run.closed.get(record.epoch) ?? 0)) return false
  return !run.holes.some((hole) => comparePositions(hole.from, record) <= 0 && comparePositions(record, hole.to) <= 0)
}

function createFilter({ kinds, q }: EventQuery): ((record: EventRecord) => boolean) | undefined {
  if (kinds === undefined && (q === undefined || q === '')) return undefined
  const wanted = kinds && new Set(kinds)
  const text = q === undefined ? '' : searchInJson(q)
  return (record) => (!wanted || wanted.has(record.kind)) && (text === '' || record.data.toLowerCase().includes(text))
}
