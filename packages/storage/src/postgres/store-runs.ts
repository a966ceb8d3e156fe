import type { LockState, RunState } from '@koco/core'
import { toJsonText } from '@koco/core'
import type { Client } from 'pg'
import { bigintArray, textArray } from './binary-array.ts'
import { namedContents } from '../named-contents.ts'
import { sumTallies } from '../tally.ts'
import type { FoldedRun } from './batch.ts'
import { storeContents } from './contents.ts'
import { insertNew } from './event-rows.ts'
import { storeTally } from './insights.ts'
import { fromLock } from './lock-row.ts'
import { changesSearch, hasStoredInputs, searchOf, toUpdate } from './run-row.ts'
import { ADD_HOLES, ADVANCE_RUNS, CLOSE_EPOCHS, LOAD_INPUTS, run, UPDATE_RUNS, UPSERT_LOCKS } from './statements.ts'
import { inPipeline } from './transaction.ts'

/** Stores the new events and what they changed of their runs, and commits: all of it in one round trip. */
export async function storeAndCommit(client: Client, runs: readonly FoldedRun[]): Promise<void> {
  const changed = runs.filter(({ sorted, fold }) => sorted.fresh.length > 0 || fold.state !== sorted.locked.state || fold.waiting > 0)
  const advanced = changed.filter(({ sorted, fold }) => isOnlyAdvanced(sorted.locked.state, fold.state))
  const others = changed.filter((each) => !advanced.includes(each))
  const inputs = await loadInputs(client, others)
  const fresh = runs.map(({ sorted, fold: { state } }) => ({ fid: state.fid, user: state.user, records: sorted.fresh }))
  await inPipeline(client, () => [
    insertNew(client, fresh),
    unlessEmpty(advanced, () => advance(client, advanced)),
    unlessEmpty(others, () => update(client, others, inputs)),
    storeLocks(
      client,
      runs.flatMap(({ fold }) => fold.locks),
    ),
    storeSeals(client, runs),
    storeHoles(client, runs),
    storeContents(
      client,
      runs.flatMap(({ sorted, settled, fold }) => namedContents(fold.state.fid, [...sorted.fresh, ...settled.inserted])),
    ),
    // Last, so that these rows, which many runs share, are held for no longer than the commit takes.
    storeTally(client, sumTallies(runs.filter(({ sorted }) => sorted.locked.counts).map(({ fold }) => fold.tally))),
    client.query('commit'),
  ])
}

async function unlessEmpty(items: readonly unknown[], act: () => Promise<unknown>): Promise<void> {
  if (items.length > 0) await act()
}

async function advance(client: Client, runs: readonly FoldedRun[]): Promise<unknown> {
  const states = runs.map(({ fold }) => fold.state)
  return await run(client, ADVANCE_RUNS, [
    textArray(states.map((state) => state.fid)),
    bigintArray(states.map((state) => state.events)),
    bigintArray(states.map((state) => state.lastPosition.epoch)),
    bigintArray(states.map((state) => state.lastPosition.seq)),
    bigintArray(runs.map(({ fold }) => fold.waiting)),
  ])
}

async function update(client: Client, runs: readonly FoldedRun[], inputs: ReadonlyMap<string, string>): Promise<unknown> {
  const rows = runs.map(({ sorted, fold }) => {
    const { state } = fold
    const search = changesSearch(sorted.locked.state, state) ? searchOf(state, inputs.get(state.fid)) : null
    return toUpdate(state, fold.waiting, search)
  })
  return await run(client, UPDATE_RUNS, [toJsonText(rows)])
}

/** The stored inputs of those runs whose search text changes without them: rare, they come before the summary. */
async function loadInputs(client: Client, runs: readonly FoldedRun[]): Promise<Map<string, string>> {
  const fids = runs
    .filter(({ sorted, fold }) => hasStoredInputs(fold.state) && changesSearch(sorted.locked.state, fold.state))
    .map(({ fold }) => fold.state.fid)
  if (fids.length === 0) return new Map()
  const rows = await run<{ fid: string; inputs: string }>(client, LOAD_INPUTS, [textArray(fids)])
  return new Map(rows.map((row) => [row.fid, row.inputs]))
}

async function storeLocks(client: Client, locks: readonly LockState[]): Promise<void> {
  if (locks.length > 0) await run(client, UPSERT_LOCKS, [toJsonText(locks.map(fromLock))])
}

async function storeSeals(client: Client, runs: readonly FoldedRun[]): Promise<void> {
  const seals = runs.flatMap(({ fold }) => fold.closed.map((seal) => ({ fid: fold.state.fid, ...seal })))
  if (seals.length === 0) return
  const columns = [textArray(seals.map((seal) => seal.fid)), bigintArray(seals.map((seal) => seal.epoch)), bigintArray(seals.map((seal) => seal.lastSeq))]
  await run(client, CLOSE_EPOCHS, columns)
}

async function storeHoles(client: Client, runs: readonly FoldedRun[]): Promise<void> {
  const holes = runs.flatMap(({ fold }) => fold.holes.map((hole) => ({ fid: fold.state.fid, ...hole })))
  if (holes.length === 0) return
  await run(client, ADD_HOLES, [
    textArray(holes.map((hole) => hole.fid)),
    bigintArray(holes.map((hole) => hole.from.epoch)),
    bigintArray(holes.map((hole) => hole.from.seq)),
    bigintArray(holes.map((hole) => hole.to.epoch)),
    bigintArray(holes.map((hole) => hole.to.seq)),
  ])
}

function isOnlyAdvanced(before: RunState, after: RunState): boolean {
  const keys = Object.keys(after) as (keyof RunState)[]
  return keys.every((key) => key === 'events' || key === 'lastPosition' || after[key] === before[key])
}
