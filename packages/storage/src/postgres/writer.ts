import type { EventRecord } from '@koco/core'
import { isEnded, must } from '@koco/core'
import type { Client, Pool } from 'pg'
import type { EventWriter, WriteAlarm, WriteOutcome, WriteResult } from '../port/events.ts'
import { checkBatch, sameContent } from '../records.ts'
import { conflict, fold, gather, sort, type FoldedRun, type GatheredRun, type Settled, type SortedRun } from './batch.ts'
import { isUniqueViolation, isWorthAnotherTry } from './errors.ts'
import { insertMissing, readAbove, readAt, toRecord, type Place } from './event-rows.ts'
import { beginWithRuns } from './load-runs.ts'
import { RunCache } from './run-cache.ts'
import { withStoredBodies } from './run-row.ts'
import { storeAndCommit } from './store-runs.ts'
import { withClient } from './transaction.ts'

const RUNS_REMEMBERED_MAX = 4_096
/** Writers of runs that no row knows of yet may lock them in different orders, until the rows are there: Postgres ends one of them, which begins anew. Eight at once met that three times in a row. */
const TRIES_MAX = 10

/**
 * Writes batches, each in one transaction of two round trips: begin, lock the runs' rows | events, projections, commit. Only what may be stored already (a redelivery, events behind a
 * hole) costs more. Several batches may be in flight; those that share a run take turns.
 */
export function createPostgresWriter(pool: Pool, convert: (error: unknown) => unknown): EventWriter {
  const cache = new RunCache(RUNS_REMEMBERED_MAX)
  return {
    async write(batch) {
      checkBatch(batch)
      const gathered = gather(batch)
      if (gathered.length === 0) return { runs: [], alarms: [] }
      let careful = false
      for (let attempt = 1; ; attempt++) {
        try {
          return await withClient(pool, (client) => writeOnce(client, cache, gathered, careful))
        } catch (error) {
          if (attempt === TRIES_MAX || !(isWorthAnotherTry(error) || isUniqueViolation(error))) throw convert(error)
          // Events that no row knows of, put there by other hands: look at everything.
          careful = isUniqueViolation(error)
        }
      }
    },
  }
}

async function writeOnce(client: Client, cache: RunCache, gathered: readonly GatheredRun[], careful: boolean): Promise<WriteResult> {
  const locked = await beginWithRuns(
    client,
    cache,
    gathered.map((run) => run.fid),
  )
  const sorted = gathered.map((run) => {
    const row = must(locked.get(run.fid), `locked row of run ${run.fid}`)
    return sort(run, careful ? { ...row, waiting: true } : row)
  })
  const settled = await settleDoubtful(client, sorted)
  const folded = sorted.map((run) => fold(run, settled.get(run.gathered.fid) ?? NOTHING))
  await storeAndCommit(client, folded)
  for (const each of folded) remember(cache, each)
  return { runs: folded.map(outcome), alarms: folded.flatMap(alarms) }
}

const NOTHING: Settled = { inserted: [], above: [], alarms: [] }

/** Stores those doubtful records that are new, compares the others with what is stored in their places, and reads what waits above the runs' positions. */
async function settleDoubtful(client: Client, runs: readonly SortedRun[]): Promise<Map<string, Settled>> {
  const doubtful = runs.filter((run) => run.doubtful.length > 0)
  if (doubtful.length === 0) return new Map()
  const rows = doubtful.flatMap(({ locked, doubtful: records }) => records.map((record) => ({ fid: locked.fid, user: locked.state.user, record })))
  const places = keys(await insertMissing(client, rows))
  const taken = rows.filter(({ fid, record }) => !places.has(key({ fid, ...record })))
  const stored =
    taken.length === 0
      ? []
      : await readAt(
          client,
          taken.map(({ fid, record }) => ({ fid, epoch: record.epoch, seq: record.seq })),
        )
  const byPlace = new Map(stored.map((event) => [key(event), toRecord(event)]))
  const waiting = doubtful.filter((run) => run.locked.waiting).map(({ locked }) => ({ fid: locked.fid, ...locked.state.lastPosition }))
  const above = Map.groupBy(waiting.length === 0 ? [] : await readAbove(client, waiting), (event) => event.fid)
  return new Map(
    doubtful.map(({ locked: { fid }, doubtful: records }) => {
      const inserted = records.filter((record) => places.has(key({ fid, ...record })))
      const clashes = records.filter((record) => differs(record, byPlace.get(key({ fid, ...record })))).map((record) => conflict(fid, record))
      return [fid, { inserted, above: (above.get(fid) ?? []).map(toRecord), alarms: clashes }]
    }),
  )
}

function differs(record: EventRecord, stored: EventRecord | undefined): boolean {
  return stored !== undefined && !sameContent(record, stored)
}

function keys(places: readonly Place[]): Set<string> {
  return new Set(places.map(key))
}

function key({ fid, epoch, seq }: Place): string {
  return `${fid} ${epoch}-${seq}`
}

function remember(cache: RunCache, { sorted, fold: { state, locks } }: FoldedRun): void {
  const changed = new Map(locks.map((lock) => [lock.lid, lock]))
  const { rewritten } = sorted.locked
  cache.set(state.fid, {
    state: withStoredBodies(state),
    rewritten,
    locks: changed.size === 0 ? sorted.locked.locks : new Map([...sorted.locked.locks, ...changed]),
  })
}

function outcome({ sorted: { gathered, fresh, doubtful }, settled, fold: { state } }: FoldedRun): WriteOutcome {
  const inserted = fresh.length + settled.inserted.length
  const duplicates = gathered.duplicates + doubtful.length - settled.inserted.length
  return { fid: state.fid, top: state.lastPosition, ended: isEnded(state.status), inserted, duplicates }
}

function alarms({ sorted, settled, fold: { alarms: found } }: FoldedRun): WriteAlarm[] {
  return [...sorted.gathered.alarms, ...settled.alarms, ...found]
}
