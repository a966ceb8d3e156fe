import type { ContentRef, EventRecord } from '@koco/core'
import { namedContents } from '../named-contents.ts'
import type { ContentTotals } from '../port/contents.ts'
import type { Db } from './connection.ts'

// A snapshot may bring back what runs named that were taken away since: nothing is stored of those.
const NAMED = `run_contents AS c WHERE EXISTS (SELECT 1 FROM runs WHERE runs.fid = c.fid AND (home IS NOT NULL OR EXISTS (SELECT 1 FROM chunks WHERE chunks.run = runs.id)))`

/** Gives a function that notes what records of a run name, within the caller's transaction; again changes nothing. */
export function contentWriter(db: Db): (fid: string, records: readonly EventRecord[]) => void {
  const add = db.prepare('INSERT OR IGNORE INTO run_contents (fid, epoch, seq, hash, bytes, stored) VALUES (?, ?, ?, ?, ?, ?)')
  return (fid, records) => {
    for (const { epoch, seq, hash, bytes, stored } of namedContents(fid, records)) add.run(fid, epoch, seq, hash, bytes, stored)
  }
}

/** The reads of what events name. */
export function contentQueries(db: Db) {
  const find = db.prepare<[string, string], ContentRef>('SELECT hash AS sha256, bytes, stored FROM run_contents WHERE fid = ? AND hash = ? LIMIT 1')
  const hashes = db.prepare<[string, number], string>(`SELECT DISTINCT hash FROM ${NAMED} AND hash > ? ORDER BY hash LIMIT ?`).pluck()
  const totals = db.prepare<[], ContentTotals>(
    `SELECT coalesce(sum(count), 0) AS named, coalesce(sum(bytes), 0) AS bytes, count(*) AS "distinct", coalesce(sum(kept), 0) AS stored
      FROM (SELECT count(*) AS count, sum(bytes) AS bytes, max(stored) AS kept FROM ${NAMED} GROUP BY hash)`,
  )
  return {
    contentOfRun: (fid: string, hash: string): ContentRef | undefined => find.get(fid, hash),
    contentHashes: (after: string, limit: number): string[] => hashes.all(after, limit),
    contentTotals: (): ContentTotals | undefined => totals.get(),
  }
}
