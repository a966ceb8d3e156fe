import type { EventRecord, Json, LockState, NewRun, Position, RunState, TypedValue } from '@koco/core'
import { isEnded, parseJson, toJsonText } from '@koco/core'
import type { RunCopy } from '../port/keeper.ts'
import type { LockAnswer } from '../port/locks.ts'
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
const UNLOADED: TypedValue & { readonly [key: string]: Json } = Object.freeze({ type: 'json', value: 'not loaded' })

/** A run as SQLite gives it, out of `runs` and `run_states`. */
export type RawRun = {
  readonly id: number
  readonly fid: string
  readonly launcher: string
  readonly flow: string
  readonly user: string
  readonly status: RunState['status']
  readonly created_at: number
  readonly archived: number
  readonly about: string
  readonly home: string | null
  readonly file_epoch: number
  readonly file_seq: number
  readonly epoch: number
  readonly seq: number
  readonly top_epoch: number
  readonly waiting: number
  readonly state: string
}

/** The start of a statement that gives RawRun. */
export const SELECT_RUN = `SELECT id, fid, launcher, flow, user, status, created_at, archived, about, home, file_epoch, file_seq, epoch, seq, top_epoch, waiting, state
  FROM runs JOIN run_states ON run_states.run = runs.id`

type About = Pick<RunState, 'version' | 'summary' | 'tags' | 'parent'>
type Progress = Pick<RunState, 'startedAt' | 'finishedAt' | 'wakeAt' | 'deaths' | 'attempt' | 'events' | 'openLocks' | 'error' | 'usage' | 'progress'>
/** What is left out of the JSON text of a state. */
const FRESH: Progress = {
  startedAt: null,
  finishedAt: null,
  wakeAt: null,
  deaths: 0,
  attempt: 0,
  events: 0,
  openLocks: 0,
  error: null,
  usage: null,
  progress: null,
}

/** The row that SQLite's columns stand for. */
export function readRun(raw: RawRun): RunRow {
  const about = parseJson(raw.about) as unknown as About
  const progress = parseJson(raw.state) as unknown as Partial<Progress>
  const { fid, flow, user, status, created_at: createdAt, epoch, seq } = raw
  const state: RunState = {
    ...FRESH,
    ...about,
    ...progress,
    fid,
    flow,
    user,
    status,
    createdAt,
    lastPosition: { epoch, seq },
    inputs: UNLOADED,
    final: UNLOADED,
  }
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

/** One above every number that a run has or had. */
const NEXT_NUMBER = '1 + max(coalesce((SELECT max(id) FROM runs), 0), (SELECT last FROM run_numbers))'

const STATEMENTS = {
  byFid: `${SELECT_RUN} WHERE fid = ?`,
  insert: `INSERT INTO runs (id, fid, launcher, idempotency_key, flow, user, status, created_at, tags, search, about) VALUES (${NEXT_NUMBER}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  insertState: 'INSERT INTO run_states (run, epoch, seq, top_epoch, waiting, state) VALUES (?, ?, ?, ?, 0, ?)',
  saveState: 'UPDATE run_states SET epoch = ?, seq = ?, top_epoch = ?, waiting = ?, state = ? WHERE run = ?',
  saveStatus: 'UPDATE runs SET status = ? WHERE id = ?',
  saveLabels: `UPDATE runs SET launcher = ?, idempotency_key = coalesce(?, idempotency_key), flow = ?, user = ?, status = ?, created_at = ?, tags = ?, search = ?, about = ? WHERE id = ?`,
  saveBodies: 'INSERT INTO run_bodies (run, inputs, final) VALUES (?, ?, ?) ON CONFLICT (run) DO UPDATE SET inputs = excluded.inputs',
  saveFinal: 'UPDATE run_bodies SET final = ? WHERE run = ?',
  inputs: 'SELECT inputs FROM run_bodies WHERE run = ?',
  put: `INSERT INTO runs (id, fid, launcher, idempotency_key, flow, user, status, created_at, archived, tags, search, about, home, file_epoch, file_seq)
    VALUES (${NEXT_NUMBER}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  putOver: `UPDATE runs SET launcher = ?, idempotency_key = ?, flow = ?, user = ?, status = ?, created_at = ?, archived = ?, tags = ?, search = ?, about = ? WHERE fid = ?`,
  putState: 'INSERT OR REPLACE INTO run_states (run, epoch, seq, top_epoch, waiting, state) VALUES (?, ?, ?, ?, ?, ?)',
  putBodies: 'INSERT OR REPLACE INTO run_bodies (run, inputs, final) VALUES (?, ?, ?)',
  number: 'SELECT id FROM runs WHERE fid = ?',
} as const

/** Reads and writes the rows of runs on the writing connection. */
export class RunRows {
  readonly #statements

  constructor(db: Db) {
    const { byFid, number, ...writes } = STATEMENTS
    this.#statements = {
      ...mapValues(writes, (text) => db.prepare(text)),
      byFid: db.prepare<[string], RawRun>(byFid),
      number: db.prepare<[string], { readonly id: number }>(number),
    }
  }

  load(fid: string): RunRow | undefined {
    const raw = this.#statements.byFid.get(fid)
    return raw && readRun(raw)
  }

  insert(state: RunState, launcher: string, idempotencyKey: string | null): RunRow {
    const { fid, flow, user, status, createdAt, lastPosition, tags } = state
    const { epoch, seq } = lastPosition
    const labels = [fid, launcher, idempotencyKey, flow, user, status, createdAt, tagText(tags), searchText(state), aboutText(state)]
    const id = Number(this.#statements.insert.run(...labels).lastInsertRowid)
    this.#statements.insertState.run(id, epoch, seq, epoch, progressText(state))
    this.#statements.saveBodies.run(id, toJsonText(state.inputs), null)
    return { id, state: unloaded(state), launcher, archived: false, topEpoch: epoch, waiting: false, home: null, fileTop: { epoch: 0, seq: 0 } }
  }

  /** Writes a run as it was copied, over what is known of it; `file` for a run that has no row yet. Gives its number, and whether it had no row. */
  put(
    { state, launcher, idempotencyKey, archived, topEpoch, waiting }: RunCopy,
    file: { readonly home: string; readonly top: Position } | undefined,
  ): { readonly id: number; readonly isNew: boolean } {
    const { fid, flow, user, status, createdAt, tags, lastPosition } = state
    const labels = [launcher, idempotencyKey, flow, user, status, createdAt, archived ? 1 : 0, tagText(tags), searchText(state), aboutText(state)]
    const known = this.#statements.number.get(fid)
    if (known) this.#statements.putOver.run(...labels, fid)
    const id = known?.id ?? Number(this.#statements.put.run(fid, ...labels, file?.home ?? null, file?.top.epoch ?? 0, file?.top.seq ?? 0).lastInsertRowid)
    this.#statements.putState.run(id, lastPosition.epoch, lastPosition.seq, topEpoch, waiting ? 1 : 0, progressText(state))
    this.#statements.putBodies.run(id, toJsonText(state.inputs), state.final && toJsonText(state.final))
    return { id, isNew: known === undefined }
  }

  /** Writes what a fold changed; gives the row as it now is. */
  save(row: RunRow, state: RunState, topEpoch: number, waiting: boolean): RunRow {
    const { epoch, seq } = state.lastPosition
    this.#statements.saveState.run(epoch, seq, topEpoch, waiting ? 1 : 0, progressText(state), row.id)
    // SQLite keeps the indexes of every column that an UPDATE names, changed or not: so each names no more than it must.
    if (!sameLabels(row.state, state)) this.#saveLabels(row, state, null)
    else if (row.state.status !== state.status) this.#statements.saveStatus.run(state.status, row.id)
    else if (isEnded(state.status) && row.state.lastPosition.epoch !== epoch) {
      // Retried and over again within one batch: the trigger that notes ends sees a change of status only.
      for (const status of ['running', state.status]) this.#statements.saveStatus.run(status, row.id)
    }
    if (state.final !== UNLOADED) this.#statements.saveFinal.run(state.final && toJsonText(state.final), row.id)
    return { ...row, state: unloaded(state), topEpoch, waiting }
  }

  /** Fills in what the launcher knows of a run that events made known first. */
  adopt(row: RunRow, run: NewRun, launcher: string, idempotencyKey: string | null): void {
    const known = row.state.flow !== ''
    const state = known ? row.state : { ...row.state, ...run }
    this.#saveLabels({ ...row, launcher }, { ...state, createdAt: run.createdAt }, idempotencyKey)
  }

  #saveLabels(row: RunRow, state: RunState, idempotencyKey: string | null): void {
    const { flow, user, status, createdAt, tags } = state
    const inputs = state.inputs === UNLOADED ? parseJson((this.#statements.inputs.get(row.id) as { inputs: string }).inputs) : state.inputs
    const search = searchText({ ...state, inputs })
    this.#statements.saveLabels.run(row.launcher, idempotencyKey, flow, user, status, createdAt, tagText(tags), search, aboutText(state), row.id)
    if (state.inputs !== UNLOADED) this.#statements.saveBodies.run(row.id, toJsonText(inputs), null)
  }
}

/** Tags as one text in which each stands between line breaks, so that `instr` finds whole tags only. */
function tagText(tags: readonly string[]): string {
  return tags.length === 0 ? '' : `\n${tags.join('\n')}\n`
}

/** A lock's row: the parts that lists filter by have columns of their own, the whole is JSON. The first versions wrote no people, no reason and no escalations. */
export function readLock(text: string): LockState {
  const read = parseJson(text) as unknown as Omit<LockState, LaterParts> & Partial<Pick<LockState, LaterParts>>
  return { assignees: [], roles: [], reason: null, escalations: [], escalated: 0, ...read }
}

/** A row of `lock_answers`. */
export type RawAnswer = Omit<LockAnswer, 'answer' | 'reason'> & { readonly answer: string; readonly reason: string | null }

/** The answer of a row. */
export function readAnswer({ answer, reason, ...row }: RawAnswer): LockAnswer {
  return { ...row, answer: parseJson(answer), ...(reason !== null && { reason }) }
}

type LaterParts = 'assignees' | 'roles' | 'reason' | 'escalations' | 'escalated'

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
  return b.inputs === UNLOADED && a.flow === b.flow && a.user === b.user && a.tags === b.tags && a.summary === b.summary && a.version === b.version
}

function unloaded(state: RunState): RunState {
  return { ...state, inputs: UNLOADED, final: UNLOADED }
}

function aboutText({ version, summary, tags, parent }: RunState): string {
  return JSON.stringify({ version, summary, tags, parent } satisfies About)
}

function progressText({ startedAt, finishedAt, wakeAt, deaths, attempt, events, openLocks, error, usage, progress }: RunState): string {
  const state: { -readonly [K in keyof Progress]?: Progress[K] } = { attempt, events }
  if (startedAt !== null) state.startedAt = startedAt
  if (finishedAt !== null) state.finishedAt = finishedAt
  if (wakeAt !== null) state.wakeAt = wakeAt
  if (deaths > 0) state.deaths = deaths
  if (openLocks !== 0) state.openLocks = openLocks
  if (error !== null) state.error = error
  if (usage !== null) state.usage = usage
  if (progress !== null) state.progress = progress
  return JSON.stringify(state)
}

function mapValues<K extends string, V, W>(object: Readonly<Record<K, V>>, change: (value: V) => W): Record<K, W> {
  return Object.fromEntries(Object.entries<V>(object).map(([key, value]) => [key, change(value)])) as Record<K, W>
}
