import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventRecord } from '@koco/core'
import { coldLoad, SnapshotFolder, takeSnapshot } from '@koco/storage'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { plainRun } from '@koco/testing'
import { atLeastTimes, percentile, type Figure } from './figure.ts'

const RUNS = 1_000
const EVENTS = 1_000
/** Runs that went on after the snapshot: their events are the tail. */
const TAIL_RUNS = 10
const BATCH = 5
const ROUNDS = 5

/**
 * A million events in a thousand runs whose index was lost: made again from a snapshot and the tail behind it, against a replay of every event, one after the other in several rounds, of which the middle
 * one counts. Both find the same files in the cache of the system, and the same settings of the database. Measured from an open, empty index on: opening takes the same time with either.
 */
export async function coldStart(): Promise<Figure[]> {
  const base = await mkdtemp(join(tmpdir(), 'koco-cold-'))
  try {
    const dir = join(base, 'execution')
    const snapshots = new SnapshotFolder(join(base, 'snapshots'))
    await fill(dir, snapshots)
    const [full, fromSnapshot]: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      full.push(await timed(dir, new SnapshotFolder(join(base, 'none'))))
      fromSnapshot.push(await timed(dir, snapshots))
    }
    const [replay, load] = [percentile(full, 0.5), percentile(fromSnapshot, 0.5)]
    return [atLeastTimes('cold start of 1 million events by snapshot and tail, as a speed', 1 / load, 'loads/s', 1 / replay, 20)]
  } finally {
    await rm(base, { recursive: true, force: true })
  }
}

async function fill(dir: string, snapshots: SnapshotFolder): Promise<void> {
  const store = await createSqliteExecutionStore({ dir, migrate: true })
  const tails: { readonly fid: string; readonly records: readonly EventRecord[] }[] = []
  for (let from = 0; from < RUNS; from += BATCH) {
    const runs = Array.from({ length: BATCH }, (_, i) => plainRun(from + i, EVENTS, 200))
    await store.writer.write(
      runs.map(({ run, records }, i) => {
        const isTail = from + i < TAIL_RUNS
        if (isTail) tails.push({ fid: run.fid, records: records.slice(-100) })
        return { fid: run.fid, records: isTail ? records.slice(0, -100) : records }
      }),
    )
  }
  // Closed and opened again: every event is in the file of its run, as it is on an installation at rest.
  await store.close()
  const settled = await createSqliteExecutionStore({ dir })
  await new Promise((resolve) => setTimeout(resolve, 500))
  await takeSnapshot(settled.keeper, snapshots, 'periodic', Date.now())
  await settled.writer.write(tails)
  await settled.close()
}

async function timed(dir: string, snapshots: SnapshotFolder): Promise<number> {
  rmSync(join(dir, 'index.db'))
  const store = await createSqliteExecutionStore({ dir, migrate: true })
  const from = performance.now()
  const done = await coldLoad(store.keeper, snapshots, { launcher: 'direct' })
  const seconds = (performance.now() - from) / 1000
  await store.close()
  if (done.runs !== RUNS) throw new Error(`${done.runs} of ${RUNS} runs came back`)
  return seconds
}
