import type { Restored, RunLine, StoreKeeper, StorePart } from '../port/keeper.ts'
import { byTable } from '../side-tables.ts'
import { openIndex } from './connection.ts'
import { toKocoError } from './errors.ts'
import { readMoment } from './moment.ts'
import { RunFiles } from './run-files.ts'
import type { ThreadClient } from './thread-client.ts'

/** Steps of one call that go on until there is nothing left; a bound, so that a mistake cannot make it endless. */
const STEPS_MAX = 1_000_000

/** Housekeeping over the threads of a store. */
export function sqliteKeeper(dir: string, writer: ThreadClient, reader: ThreadClient): StoreKeeper {
  const files = new RunFiles(dir)
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
    restore: (part) => restorePart(writer, files, part),
    storedRuns: (after, limit) => reader.call('storedRuns', after, limit),
    refold: (runs, how) => writer.call('refoldRuns', runs, how),
    projection: () => reader.call('projection'),
    setProjection: (projection) => writer.call('setProjection', projection),
    sideRows: (table) => reader.call('sideRows', table),
    putSideRows: (table, rows) => writer.call('putSideRows', table, rows),
  }
}

/** Calls that go together share a transaction. */
async function restorePart(writer: ThreadClient, files: RunFiles, part: StorePart): Promise<Restored> {
  // Looked at in this thread, which has nothing else to do while the writer is at the part before.
  const isAtRest = ({ copy, file }: RunLine): boolean => file !== null && files.isUnchanged({ fid: copy.state.fid, home: file.home }, file)
  if (part.kind === 'runs') return await writer.call('restoreRuns', part.lines, part.lines.map(isAtRest))
  if (part.kind === 'sessions')
    await writer.call(
      'putSessions',
      part.lines.map(({ copy }) => copy),
    )
  if (part.kind === 'schedules') await Promise.all(part.lines.map(async ({ schedule }) => await writer.call('createSchedule', schedule)))
  if (part.kind === 'dead') await Promise.all(part.lines.map(async ({ event }) => await writer.call('addDead', event)))
  if (part.kind === 'side') await Promise.all(byTable(part.lines).map(async ([table, rows]) => await writer.call('putSideRows', table, rows)))
  return { folded: [], gone: [] }
}
