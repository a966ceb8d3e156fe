import type { Json, RunState, TypedValue } from '@koco/core'
import { parseJson, toJsonText } from '@koco/core'
import { searchText } from '../search.ts'
import type { RunSummary } from '../port/runs.ts'
import type { RunTable } from './schema.ts'
import type { Selectable } from 'kysely'

/** The columns of a run as lists show it. */
export const SUMMARY_COLUMNS = [
  'fid',
  'flow',
  'version',
  'username',
  'summary',
  'tags',
  'parent',
  'status',
  'created_at',
  'started_at',
  'finished_at',
  'wake_at',
  'deaths',
  'attempt',
  'events',
  'last_epoch',
  'last_seq',
  'open_locks',
  'error',
  'usage',
  'progress',
] as const

/** A row of `runs` with these columns. */
export type SummaryRow = Pick<Selectable<RunTable>, (typeof SUMMARY_COLUMNS)[number]>

/** A run without its bodies. */
export function toSummary(row: SummaryRow): RunSummary {
  const { fid, flow, version, username: user, summary, tags, parent, status, attempt, events } = row
  return {
    fid,
    flow,
    version,
    user,
    summary,
    tags,
    parent,
    status,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    wakeAt: row.wake_at,
    deaths: row.deaths,
    attempt,
    events,
    lastPosition: { epoch: row.last_epoch, seq: row.last_seq },
    openLocks: row.open_locks,
    error: parsed(row.error) as RunState['error'],
    usage: parsed(row.usage) as RunState['usage'],
    progress: parsed(row.progress) as RunState['progress'],
  }
}

/** A whole run. */
export function toState(row: SummaryRow & { readonly inputs: string; readonly final: string }): RunState {
  return { ...toSummary(row), inputs: parseJson(row.inputs), final: parseJson(row.final) as TypedValue | null }
}

/*
 * Bodies stay in the database while a run is folded. These stand for "as stored"; a fold that sets one puts another value in its place.
 */
const STORED_INPUTS: Json = Object.freeze({})
const STORED_FINAL: TypedValue = Object.freeze({ type: 'text', value: '' })

/** A run to fold into: its inputs and final are not loaded. */
export function toFoldable(row: SummaryRow): RunState {
  return withStoredBodies({ ...toSummary(row), inputs: STORED_INPUTS, final: STORED_FINAL })
}

/** The same run once its bodies have been written. */
export function withStoredBodies(state: RunState): RunState {
  return { ...state, inputs: STORED_INPUTS, final: STORED_FINAL }
}

/** True when the run's search text has to be made anew; it is made of these and the inputs. */
export function changesSearch(before: RunState, after: RunState): boolean {
  return after.inputs !== STORED_INPUTS || after.flow !== before.flow || after.summary !== before.summary || after.tags.join('\n') !== before.tags.join('\n')
}

/** True while the inputs are those in the database. */
export function hasStoredInputs(state: RunState): boolean {
  return state.inputs === STORED_INPUTS
}

/** A run as `UPDATE_RUNS` takes it; null leaves inputs, final and search as they are. */
export function toUpdate(state: RunState, waiting: number, search: string | null) {
  const { fid, flow, version, user, summary, tags, parent, status, attempt, events, lastPosition } = state
  return {
    fid,
    flow,
    version,
    username: user,
    summary,
    tags,
    parent,
    status,
    started_at: state.startedAt,
    finished_at: state.finishedAt,
    wake_at: state.wakeAt,
    deaths: state.deaths,
    attempt,
    events,
    last_epoch: lastPosition.epoch,
    last_seq: lastPosition.seq,
    waiting,
    open_locks: state.openLocks,
    error: text(state.error),
    usage: text(state.usage),
    progress: text(state.progress),
    inputs: hasStoredInputs(state) ? null : toJsonText(state.inputs),
    final: state.final === STORED_FINAL ? null : toJsonText(state.final),
    search,
  }
}

/** What a search over runs looks into. */
export function searchOf(state: RunState, storedInputs: string | undefined): string {
  return searchText(hasStoredInputs(state) ? { ...state, inputs: parseJson(storedInputs ?? 'null') } : state)
}

function parsed(text: string | null): Json {
  return text === null ? null : parseJson(text)
}

function text(value: unknown): string | null {
  return value === null ? null : toJsonText(value)
}
