import type { EventRecord, Json, LockState, NewRun, Position, RunState, TypedValue } from '@koco/core'
import { parseJson, toJsonText } from '@koco/core'
import { searchText } from '../search.ts'
import type { Db } from './connection.ts'

/** A row of `runs`. `state` has UNLOADED in place of the bodies of inputs and final. */
export type RunRow = {
  readonly id: number
  readonly state: RunState
  readonly launcher: string
  readonly archived: boolean
  readonly topEpoch: number
  readonly waiting: boolean
  readonly home: string | null
  readonly fileTop: Position
}

/** Stands for a body that was not read. Compared by identity: another object there is a new value. */
export const UNLOADED: TypedValue & { readonly [key: string]: Json } = Object.freeze({ type: 'json', value: 'not loaded' })

/** A row as SQLite gives it. */
export type RawRun = {
  readonly id: number
  readonly fid: string
  readonly launcher: string
  readonly flow: string
  readonly user: string
  readonly status: RunState['status']
  readonly created_at: number
  readonly archived: number
  readonly epoch: number
  readonly seq: number
  readonly top_epoch: number
  readonly waiting: number
  readonly home: string | null
  readonly file_epoch: number
  readonly file_seq: number
  readonly state: string
}

/** The columns of RawRun. */
export const RUN_COLUMNS =
  'runs.id, runs.fid, runs.launcher, runs.flow, runs.user, runs.status, runs.created_at, runs.archived, runs.epoch, runs.seq, runs.top_epoch, runs.waiting, runs.home, runs.file_epoch, runs.file_seq, runs.state'

type StateRest = Pick<
  RunState,
  'version' | 'summary' | 'tags' | 'parent' | 'startedAt' | 'finishedAt' | 'wakeAt' | 'attempt' | 'events' | 'openLocks' | 'error' | 'usage' | 'progress'
>

/** The row that SQLite's columns stand for. */
export function readRun(raw: RawRun): RunRow {
  const rest = parseJson(raw.state) as unknown as StateRest
  const { fid, flow, user, status, created_at: createdAt, epoch, seq } = raw
  const state: RunState = { ...rest, fid, flow, user, status, createdAt, lastPosition: { epoch, seq }, inputs: UNLOADED, final: UNLOADED }
  return {
    id: raw.id,
    state,
    launcher: raw.launcher,
    archived: raw.archived === 1,
    topEpoch: raw.top_epoch,
    waiting: raw.waiting === 1,
    home: raw.home,
    fileTop: { epoch: raw.file_epoch, seq: raw.file_seq },
  }
}

/** Reads and writes the rows of `runs` on the writing connection. */
export class RunRows {
  readonly #byFid
  readonly #insert
  readonly #saveState
  readonly #saveAll
  readonly #saveBodies
  readonly #bodies

  constructor(db: Db) {
    this.#byFid = db.prepare<[string], RawRun>(`SELECT ${RUN_COLUMNS} FROM runs WHERE fid = ?`)
    this.#insert = db.prepare(
      `INSERT INTO runs (fid, launcher, idempotency_key, flow, user, status, created_at, tags, search, epoch, seq, top_epoch, waiting, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
    )
    // SQLite keeps the indexes of every column that an UPDATE names, changed or not: the common write must not name them.
    this.#saveState = db.prepare('UPDATE runs SET epoch = ?, seq = ?, top_epoch = ?, waiting = ?, state = ? WHERE id = ?')
    this.#saveAll = db.prepare(
      `UPDATE runs SET epoch = ?, seq = ?, top_epoch = ?, waiting = ?, state = ?, launcher = ?, idempotency_key = coalesce(?, idempotency_key), flow = ?, user = ?, status = ?, created_at = ?, tags = ?,
       search = coalesce(?, search) WHERE id = ?`,
    )
    this.#saveBodies = db.prepare(
      'INSERT INTO run_bodies (run, inputs, final) VALUES (?, ?, ?) ON CONFLICT (run) DO UPDATE SET inputs = excluded.inputs, final = excluded.final',
    )
    this.#bodies = db.prepare<[number], { inputs: string; final: string | null }>('SELECT inputs, final FROM run_bodies WHERE run = ?')
  }

  load(fid: string): RunRow | undefined {
    const raw = this.#byFid.get(fid)
    return raw && readRun(raw)
  }

  insert(state: RunState, launcher: string, idempotencyKey: string | null): RunRow {
    const { fid, flow, user, status, createdAt, lastPosition } = state
    const { epoch, seq } = lastPosition
    const { lastInsertRowid } = this.#insert.run(
      fid,
      launcher,
      idempotencyKey,
      flow,
      user,
      status,
      createdAt,
      tagText(state.tags),
      searchText(state),
      epoch,
      seq,
      epoch,
      stateText(state), // prettier-ignore
    )
    const id = Number(lastInsertRowid)
    this.#saveBodies.run(id, toJsonText(state.inputs), null)
    return { id, state: unloaded(state), launcher, archived: false, topEpoch: epoch, waiting: false, home: null, fileTop: { epoch: 0, seq: 0 } }
  }

  /** Writes what a fold changed; gives the row as it now is. */
  save(row: RunRow, state: RunState, topEpoch: number, waiting: boolean): RunRow {
    const { epoch, seq } = state.lastPosition
    const before = row.state
    const bodiesChanged = state.inputs !== UNLOADED || state.final !== UNLOADED
    if (!bodiesChanged && sameLabels(before, state)) this.#saveState.run(epoch, seq, topEpoch, waiting ? 1 : 0, stateText(state), row.id)
    else this.#saveWhole(row, state, topEpoch, waiting, null)
    return { ...row, state: unloaded(state), topEpoch, waiting }
  }

  /** Fills in what the launcher knows of a run that events made known first. */
  adopt(row: RunRow, run: NewRun, launcher: string, idempotencyKey: string | null): void {
    const known = row.state.flow !== ''
    const state = known ? row.state : { ...row.state, ...run }
    this.#saveWhole({ ...row, launcher }, { ...state, createdAt: run.createdAt }, row.topEpoch, row.waiting, idempotencyKey)
  }

  #saveWhole(row: RunRow, state: RunState, topEpoch: number, waiting: boolean, idempotencyKey: string | null): void {
    const { epoch, seq } = state.lastPosition
    const full = this.#withBodies(row.id, state)
    const { flow, user, status, createdAt, tags } = full
    this.#saveAll.run(
      epoch,
      seq,
      topEpoch,
      waiting ? 1 : 0,
      stateText(full),
      row.launcher,
      idempotencyKey,
      flow,
      user,
      status,
      createdAt,
      tagText(tags),
      searchText(full),
      row.id, // prettier-ignore
    )
    if (state.inputs !== UNLOADED || state.final !== UNLOADED) this.#saveBodies.run(row.id, toJsonText(full.inputs), full.final && toJsonText(full.final))
  }

  #withBodies(id: number, state: RunState): RunState {
    if (state.inputs !== UNLOADED && state.final !== UNLOADED) return state
    const bodies = this.#bodies.get(id)
    const inputs = state.inputs === UNLOADED ? parseJson(bodies?.inputs ?? 'null') : state.inputs
    const final = state.final === UNLOADED ? (parseJson(bodies?.final ?? 'null') as TypedValue | null) : state.final
    return { ...state, inputs, final }
  }
}

/** Tags as one text in which each stands between line breaks, so that `instr` finds whole tags only. */
export function tagText(tags: readonly string[]): string {
  return tags.length === 0 ? '' : `\n${tags.join('\n')}\n`
}

/** A lock's row: the parts that lists filter by have columns of their own, the whole is JSON. */
export function readLock(text: string): LockState {
  return parseJson(text) as unknown as LockState
}

/** The event rows of chunks and files have one form. */
export type RawEvent = {
  readonly epoch: number
  readonly seq: number
  readonly timestamp: number
  readonly kind: string
  readonly step: string | null
  readonly message: string
}

/** The record of a row of `monitor`. */
export function readEvent({ epoch, seq, timestamp, kind, step, message }: RawEvent): EventRecord {
  return { epoch, seq, ts: timestamp, kind, step, data: message }
}

function sameLabels(a: RunState, b: RunState): boolean {
  return a.status === b.status && a.flow === b.flow && a.user === b.user && a.tags === b.tags && a.summary === b.summary
}

function unloaded(state: RunState): RunState {
  return { ...state, inputs: UNLOADED, final: UNLOADED }
}

function stateText(state: RunState): string {
  const { version, summary, tags, parent, startedAt, finishedAt, wakeAt, attempt, events, openLocks, error, usage, progress } = state
  const rest: StateRest = { version, summary, tags, parent, startedAt, finishedAt, wakeAt, attempt, events, openLocks, error, usage, progress }
  return JSON.stringify(rest)
}
