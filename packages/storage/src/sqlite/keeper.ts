import type { StoreKeeper, StorePart } from '../port/keeper.ts'
import { openIndex } from './connection.ts'
import { toKocoError } from './errors.ts'
import { readMoment } from './moment.ts'
import type { ThreadClient } from './thread-client.ts'

/** Steps of one call that go on until there is nothing left; a bound, so that a mistake cannot make it endless. */
const STEPS_MAX = 1_000_000

/** Housekeeping over the threads of a store. */
export function sqliteKeeper(dir: string, writer: ThreadClient, reader: ThreadClient): StoreKeeper {
  const sweep = async (): Promise<void> => {
    for (let step = 0; step < STEPS_MAX && (await writer.call<boolean>('sweepFiles')); step++);
  }
  return {
    ended: (query) => reader.call('endedRuns', query),
    async remove(fids, endedBefore) {
      const gone = await writer.call<string[]>('removeRuns', fids, endedBefore)
      await sweep()
      return gone
    },
    async reclaim() {
      await sweep()
      return await writer.call('reclaimPages')
    },
    // On a connection of its own, because a VACUUM cannot share a transaction.
    async compact() {
      const db = openIndex(dir)
      try {
        db.pragma('auto_vacuum = INCREMENTAL')
        db.exec('VACUUM')
        db.pragma('wal_checkpoint(TRUNCATE)')
      } catch (error) {
        throw toKocoError(error, dir)
      } finally {
        db.close()
      }
    },
    copies: (after, limit) => reader.call('copyRuns', after, limit),
    records: (fid, after, limit) => reader.call('storedRecords', fid, after, limit),
    addRecords: ({ fid }, records) => writer.call('addRecords', fid, records),
    put: (copies) => writer.call('putRuns', copies),
    sessionCopies: (after, limit) => reader.call('copySessions', after, limit),
    putSessions: (copies) => writer.call('putSessions', copies),
    totals: () => reader.call('totals'),
    moment: (visit) => readMoment(dir, visit),
    restore: (part) => restorePart(writer, part),
    storedRuns: (after, limit) => reader.call('storedRuns', after, limit),
    refold: (runs, how) => writer.call('refoldRuns', runs, how),
    projection: () => reader.call('projection'),
    setProjection: (projection) => writer.call('setProjection', projection),
    sideRows: (table) => reader.call('sideRows', table),
    putSideRows: (table, rows) => writer.call('putSideRows', table, rows),
  }
}

/** Small parts go row by row: only runs are many. */
async function restorePart(writer: ThreadClient, part: StorePart): Promise<number> {
  if (part.kind === 'runs') return await writer.call('restoreRuns', part.lines)
  if (part.kind === 'sessions')
    await writer.call(
      'putSessions',
      part.lines.map(({ copy }) => copy),
    )
  if (part.kind === 'schedules') for (const { schedule } of part.lines) await writer.call('createSchedule', schedule)
  if (part.kind === 'dead') for (const { event } of part.lines) await writer.call('addDead', event)
  if (part.kind === 'side') for (const { table, row } of part.lines) await writer.call('putSideRows', table, [row])
  return 0
}
