import type { EventRecord } from '@koco/core'
import { isFid, toJsonText } from '@koco/core'
import type { Projection, RunCopy } from '../port/keeper.ts'
import { sessionReplacer } from './copy-sessions.ts'
import type { SideRow, SideTable } from '../side-tables.ts'
import type { Db } from './connection.ts'
import type { RunCache } from './run-cache.ts'
import { homeOf, type RunFiles } from './run-files.ts'
import type { RunRows } from './run-rows.ts'
import { refoldChanges, type RunPlace } from './refold.ts'
import { putSideRows } from './side-tables.ts'
import type { EventTable } from './write-events.ts'

const OVER = "('finished', 'error', 'cancelled', 'timed_out')"

/** Of runs and run_states: over since before a time (`?` in seconds, then in ms), no later try given out since, no parent that still lives. */
export const ENDED_FOR_GOOD = `status IN ${OVER} AND coalesce(state ->> 'finishedAt', created_at) < ? AND top_epoch < ?
  AND NOT EXISTS (SELECT 1 FROM runs AS parents WHERE parents.fid = runs.about ->> 'parent' AND parents.status NOT IN ${OVER})`

/** The tables that hold what belongs to a run, by its row's number. */
const PARTS = ['run_states', 'run_bodies', 'run_epochs', 'run_holes', 'run_controls', 'chunks', 'locks', 'lock_answers'] as const
const PAGES_A_STEP = 2_000
const FOLDERS_A_STEP = 64

type KeeperParts = { readonly rows: RunRows; readonly cache: RunCache; readonly files: RunFiles; readonly events: EventTable }

/** The changes of whoever keeps house, each within the caller's transaction. */
export function keeperChanges(db: Db, { rows, cache, files, events }: KeeperParts) {
  const replace = createReplacer(db)
  const setProjection = db.prepare('UPDATE projection SET version = ?, cursor = ?')
  const put = (copy: RunCopy, file?: RunPlace): void => {
    const { id, isNew } = rows.put(copy, file)
    replace(id, isNew, copy)
    cache.forget(copy.state.fid)
  }
  return {
    ...removalChanges(db, cache, files),
    ...refoldChanges(db, { rows, cache, files, put }),
    putSessions: sessionReplacer(db),
    putSideRows: (table: SideTable, side: readonly SideRow[]): void => putSideRows(db, table, side),

    addRecords(fid: string, records: readonly EventRecord[]): void {
      events.add(fid, records)
    },

    putRuns(copies: readonly RunCopy[]): void {
      for (const copy of copies) {
        const place = { fid: copy.state.fid, home: homeOf(copy.state.user) }
        const top = files.top(place)
        put(copy, top && { home: place.home, top })
      }
    },

    setProjection({ version, cursor }: Projection): void {
      setProjection.run(version, cursor)
    },

    reclaimPages(): boolean {
      db.pragma(`incremental_vacuum(${PAGES_A_STEP})`)
      return Number(db.pragma('auto_vacuum', { simple: true })) === 2 && Number(db.pragma('freelist_count', { simple: true })) > 0
    },
  }
}

function removalChanges(db: Db, cache: RunCache, files: RunFiles) {
  const find = db.prepare<[string, number, number], { id: number; home: string | null }>(
    `SELECT id, home FROM runs JOIN run_states ON run_states.run = runs.id WHERE fid = ? AND ${ENDED_FOR_GOOD}`,
  )
  const parts = PARTS.map((table) => db.prepare(`DELETE FROM ${table} WHERE run = ?`))
  const others = ['dead_events', 'run_contents'].map((table) => db.prepare(`DELETE FROM ${table} WHERE fid = ?`))
  const run = db.prepare('DELETE FROM runs WHERE id = ?')
  // A number that was in use is never given out again: another process's filer may still know where the old run's file lay.
  const keepNumber = db.prepare('UPDATE run_numbers SET last = max(last, ?)')
  const note = db.prepare('INSERT OR IGNORE INTO removals (home, fid) VALUES (?, ?)')
  const noted = db.prepare<[number], { home: string; fid: string }>('SELECT home, fid FROM removals LIMIT ?')
  const isKnown = db.prepare<[string], number>('SELECT 1 FROM runs WHERE fid = ?').pluck()
  const done = db.prepare('DELETE FROM removals WHERE home = ? AND fid = ?')
  return {
    removeRuns(fids: readonly string[], endedBefore: number): string[] {
      const gone: string[] = []
      for (const fid of fids) {
        const found = isFid(fid) ? find.get(fid, endedBefore, endedBefore * 1000) : undefined
        if (!found) continue
        for (const part of parts) part.run(found.id)
        for (const other of others) other.run(fid)
        keepNumber.run(found.id)
        run.run(found.id)
        if (found.home !== null) note.run(found.home, fid)
        cache.forget(fid)
        gone.push(fid)
      }
      return gone
    },

    /** Deletes files of removed runs, which are noted until they are gone for good; true while there are more. */
    sweepFiles(): boolean {
      const rows = noted.all(FOLDERS_A_STEP)
      for (const { home, fid } of rows) {
        // The run may have come back from an archive meanwhile.
        if (isKnown.get(fid) === undefined) files.remove({ home, fid })
        done.run(home, fid)
      }
      return rows.length === FOLDERS_A_STEP
    },
  }
}

/** Gives a function that puts what belongs to a run in place of what was there; its events stay. */
function createReplacer(db: Db): (id: number, isNew: boolean, copy: RunCopy) => void {
  const clear = ['run_epochs', 'run_holes', 'run_controls', 'locks', 'lock_answers'].map((table) => db.prepare(`DELETE FROM ${table} WHERE run = ?`))
  const seal = db.prepare('INSERT INTO run_epochs (run, epoch, last_seq) VALUES (?, ?, ?)')
  const hole = db.prepare('INSERT INTO run_holes (run, from_epoch, from_seq, to_epoch, to_seq) VALUES (?, ?, ?, ?, ?)')
  const lock = db.prepare('INSERT INTO locks (run, lid, status, asked_at, state) VALUES (?, ?, ?, ?, ?)')
  const answer = db.prepare('INSERT INTO lock_answers (run, lid, answer, by, at, reason) VALUES (?, ?, ?, ?, ?, ?)')
  const control = db.prepare('INSERT INTO run_controls (run, wanted, by, reason, at) VALUES (?, ?, ?, ?, ?)')
  return (id, isNew, copy) => {
    if (!isNew) for (const statement of clear) statement.run(id)
    for (const { epoch, lastSeq } of copy.seals) seal.run(id, epoch, lastSeq)
    for (const { from, to } of copy.holes) hole.run(id, from.epoch, from.seq, to.epoch, to.seq)
    for (const one of copy.locks) lock.run(id, one.lid, one.status, one.askedAt, JSON.stringify(one))
    for (const { lid, answer: given, by, at, reason } of copy.answers) answer.run(id, lid, toJsonText(given), by, at, reason ?? null)
    if (copy.control) control.run(id, copy.control.wanted, copy.control.by, copy.control.reason, copy.control.at)
  }
}
