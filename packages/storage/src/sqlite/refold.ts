import { isEnded, isFid, ORIGIN, type Position } from '@koco/core'
import type { Refold, Refolded, RefoldMode, Restored, RunCopy, RunLine, StoredRunPlace } from '../port/keeper.ts'
import { unknownRun } from '../projection.ts'
import { differences, refoldRun } from '../snapshots/refold.ts'
import type { Db } from './connection.ts'
import { contentWriter } from './contents.ts'
import { createCopier } from './copy-runs.ts'
import type { RunCache } from './run-cache.ts'
import { homeOf, type RunFiles } from './run-files.ts'
import { readRun, SELECT_RUN, type RawRun, type RunRows } from './run-rows.ts'
import { StoredRecords } from './stored-records.ts'

/** Where a run's file lies and how far it reaches. */
export type RunPlace = { readonly home: string; readonly top: Position }

type Parts = {
  readonly rows: RunRows
  readonly cache: RunCache
  readonly files: RunFiles
  /** `file`: of a run that has no row yet. */
  readonly put: (copy: RunCopy, file?: RunPlace) => void
}

/** Folds runs anew, within the caller's transaction. */
export function refoldChanges(db: Db, { rows, cache, files, put }: Parts) {
  const copier = createCopier(db)
  const stored = new StoredRecords(db, files)
  const noteContents = contentWriter(db)
  const find = db.prepare<[string], RawRun>(`${SELECT_RUN} WHERE fid = ?`)
  const setFile = db.prepare('UPDATE runs SET home = ?, file_epoch = ?, file_seq = ? WHERE fid = ?')

  const refold = (fid: string, mode: RefoldMode, write: boolean, launcher: string): Refolded => {
    const copy = copier.one(fid)
    const raw = find.get(fid)
    if (!copy || !raw) return { fid, differs: ['run'], position: ORIGIN }
    const { records } = stored.after({ ...readRun(raw), fid }, mode === 'above' ? copy.state.lastPosition : ORIGIN, Number.MAX_SAFE_INTEGER)
    const again = { ...refoldRun(copy, records, mode), launcher: copy.launcher === '' ? launcher : copy.launcher }
    const differs = differences(copy, again)
    if (write) noteContents(fid, records)
    if (write && (differs.length > 0 || again.launcher !== copy.launcher)) put(again)
    return { fid, differs, position: again.state.lastPosition }
  }

  /** Makes a row for a run of which only the file is left. */
  const addUnknown = ({ fid, home }: StoredRunPlace): void => {
    if (home === null || find.get(fid)) return
    const top = files.top({ fid, home })
    if (!top) return
    cache.add(rows.insert(unknownRun(fid), '', null))
    setFile.run(home, top.epoch, top.seq, fid)
    cache.forget(fid)
  }

  return {
    refoldRuns(places: readonly StoredRunPlace[], { mode, write, launcher }: Refold): Refolded[] {
      const known = places.filter(({ fid }) => isFid(fid))
      if (write) for (const place of known) addUnknown(place)
      return known.map(({ fid }) => refold(fid, mode, write, launcher))
    },

    /** A run whose file is `atRest`, as it was when the snapshot was made, is taken over without a look into it. */
    restoreRuns(lines: readonly RunLine[], atRest: readonly boolean[]): Restored {
      const folded: Refolded[] = []
      const gone: string[] = []
      for (const [i, { copy, file }] of lines.entries()) {
        const { fid, user, status, lastPosition } = copy.state
        const isAsItWas = file !== null && atRest[i] === true
        const place = isAsItWas ? { fid, home: file.home } : files.find({ fid, home: file?.home ?? homeOf(user) })
        const top = isAsItWas ? { epoch: file.epoch, seq: file.seq } : place && files.top(place)
        // Without its file a run that had one, or was over, is one that was removed.
        if (!top && lastPosition.epoch > 0 && (file !== null || isEnded(status))) {
          gone.push(fid)
          continue
        }
        put(copy, place && top && { home: place.home, top })
        // Events that lay in the index alone are lost with it: the run is then what its file says.
        const isWhole = top !== undefined && (top.epoch > lastPosition.epoch || (top.epoch === lastPosition.epoch && top.seq >= lastPosition.seq))
        if (isAsItWas && isWhole) continue
        if (lastPosition.epoch === 0 && !top) continue
        folded.push(refold(fid, isWhole ? 'above' : 'scratch', true, copy.launcher))
      }
      return { folded, gone }
    },
  }
}
