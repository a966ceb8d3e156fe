import type { EventRecord, LockState, Position, RunEvent, RunState } from '@koco/core'
import {
  comparePositions,
  decodeEvent,
  evolve,
  evolveLocks,
  formatPosition,
  ImpossibleTransitionError,
  must,
  newRunState,
  ORIGIN,
  parseJson,
  parsePosition,
  PoisonError,
} from '@koco/core'
import type { WriteAlarm } from './port/events.ts'
import { NO_TALLY, sumTallies, tallyOf, type Tally } from './tally.ts'

/** An epoch that a later one has closed: its events up to `lastSeq` belong to the timeline, what lies above is fenced. */
export type EpochSeal = { readonly epoch: number; readonly lastSeq: number }

/** Positions that nobody can fill, both ends included; what turns up there later is fenced. */
export type Hole = { readonly from: Position; readonly to: Position }

/** What a fold changed. `closed` and `holes` are the new ones. `waiting`: how many of the records stand above the new last position, behind a hole. */
export type FoldResult = {
  readonly state: RunState
  readonly locks: readonly LockState[]
  readonly closed: readonly EpochSeal[]
  readonly holes: readonly Hole[]
  readonly alarms: readonly WriteAlarm[]
  readonly waiting: number
  /** What the new events add to the tallies of their days. */
  readonly tally: Tally
}

/** The first event of an epoch and what it says about the time before it. */
type Opening = { readonly index: number; readonly epoch: number; readonly prev: Position; readonly lost: Hole | undefined }

/** A run of which only events are known: no row yet, or the row was lost. Its `meta` event tells the rest. The start is read off the fid. */
export function unknownRun(fid: string): RunState {
  const createdAt = Number.parseInt(fid.slice(0, 8), 16)
  return newRunState({ fid, flow: '', version: null, user: '', summary: '', tags: [], parent: null, inputs: null, createdAt })
}

/**
 * Folds records into a run; pure. `records`: the new ones, in position order, each position once; and, unless the store knows that nothing waits above
 * `state.lastPosition`, all that are stored above it. `locks`: the locks of the run by lid. Only the contiguous prefix is folded (section "folding" of the README).
 * New records at or below the last position are fenced. Throws PoisonError `broken_event` for data that is no JSON.
 */
export function foldRun(state: RunState, locks: ReadonlyMap<string, LockState>, records: readonly EventRecord[]): FoldResult {
  return new Fold(state, locks, records).run()
}

/** The version of what is folded and how; raise it with each change that gives another state for the same events. Stores fold their runs anew then. */
export const PROJECTOR = 1

/** Folds events that are known to be the timeline of a run, from its first one on: without a look at seals and holes, which were decided before. */
export function replayRun(state: RunState, timeline: readonly EventRecord[]): { readonly state: RunState; readonly locks: ReadonlyMap<string, LockState> } {
  return new Fold(state, new Map(), timeline).replay()
}

class Fold {
  readonly #records: readonly EventRecord[]
  readonly #openings: readonly Opening[]
  readonly #locks: Map<string, LockState>
  readonly #changed = new Map<string, LockState>()
  readonly #closed: EpochSeal[] = []
  readonly #holes: Hole[] = []
  readonly #alarms: WriteAlarm[] = []
  readonly #tallies: Tally[] = []
  #state: RunState
  /** Records that need no look are only counted, and added to the state at once: copying it for each would cost more than all the rest. */
  #counted = 0
  #last: Position
  /** Where the timeline stands: the last event, or the end of the hole behind it. */
  #at: Position
  #next = 0

  constructor(state: RunState, locks: ReadonlyMap<string, LockState>, records: readonly EventRecord[]) {
    this.#state = state
    this.#last = state.lastPosition
    this.#at = state.lastPosition
    this.#locks = new Map(locks)
    this.#records = records
    this.#openings = findOpenings(records, state.lastPosition)
  }

  run(): FoldResult {
    while (this.#step());
    this.#flush()
    return {
      state: this.#state,
      locks: [...this.#changed.values()],
      closed: this.#closed,
      holes: this.#holes,
      alarms: this.#alarms,
      waiting: this.#records.length - this.#next,
      tally: this.#tallies.length === 0 ? NO_TALLY : sumTallies(this.#tallies),
    }
  }

  replay(): { readonly state: RunState; readonly locks: ReadonlyMap<string, LockState> } {
    for (const record of this.#records) this.#take(record)
    this.#flush()
    return { state: this.#state, locks: this.#locks }
  }

  /** Moves on by one record or one hole; false when the next event is not there. The order of the rules matters: a seal wins over what its epoch wrote behind it. */
  #step(): boolean {
    const record = this.#records[this.#next]
    if (!record) return false
    if (comparePositions(record, this.#at) <= 0) {
      this.#fence(record, 'it came after a later epoch, or a declared loss, had closed its place')
      this.#next++
      return true
    }
    const sealing = this.#openings.find(
      (opening) => opening.epoch > this.#at.epoch && opening.prev.epoch === this.#at.epoch && opening.prev.seq <= this.#at.seq,
    )
    if (sealing) return this.#open(sealing)
    if (record.epoch === this.#at.epoch && record.seq === this.#at.seq + 1) {
      this.#take(record)
      return true
    }
    if (this.#leap(record)) return true
    const stranger = this.#openings.find((opening) => opening.epoch > this.#at.epoch && comparePositions(opening.prev, this.#at) < 0)
    return stranger ? this.#open(stranger) : false
  }

  /** Closes the epoch that stands and takes the first event of the next. */
  #open(opening: Opening): boolean {
    while (this.#next < opening.index) {
      this.#fence(must(this.#records[this.#next], 'record before the seal'), `epoch ${opening.epoch} sealed it at ${formatPosition(opening.prev)}`)
      this.#next++
    }
    if (comparePositions(opening.prev, this.#last) < 0)
      this.#alarm(
        'fenced',
        this.#last,
        `epoch ${opening.epoch} names ${formatPosition(opening.prev)} as the last event before it; later ones were folded already and stay`,
      )
    const { lost } = opening
    if (lost && comparePositions(lost.to, this.#at) > 0) this.#noteHole(lost.to)
    if (this.#last.epoch > 0) this.#closed.push({ epoch: this.#last.epoch, lastSeq: this.#last.seq })
    this.#take(must(this.#records[this.#next], 'record of the seal'))
    return true
  }

  /** Steps over a declared hole that begins here, up to the next record that is there after all. */
  #leap(record: EventRecord): boolean {
    const { epoch, seq } = this.#at
    const hole = this.#openings.find(
      ({ lost }) => lost && comparePositions(lost.from, { epoch, seq: seq + 1 }) <= 0 && comparePositions(lost.to, this.#at) > 0,
    )?.lost
    if (!hole) return false
    const stopsShort = record.epoch === epoch && comparePositions(record, hole.to) <= 0
    const to = stopsShort ? { epoch, seq: record.seq - 1 } : hole.to
    this.#noteHole(to)
    return true
  }

  #noteHole(to: Position): void {
    this.#holes.push({ from: { epoch: this.#at.epoch, seq: this.#at.seq + 1 }, to })
    this.#at = to
  }

  #take(record: EventRecord): void {
    this.#next++
    const position = { epoch: record.epoch, seq: record.seq }
    if (LOOKED_AT.has(record.kind)) this.#evolve(record)
    else this.#counted++
    this.#last = position
    this.#at = position
  }

  #evolve(record: EventRecord): void {
    const event = decode(this.#state.fid, record)
    this.#flush()
    try {
      const state = evolve(this.#state, event)
      for (const lock of evolveLocks(this.#locks, event)) {
        this.#locks.set(lock.lid, lock)
        this.#changed.set(lock.lid, lock)
      }
      const tally = tallyOf(this.#state, state, event)
      if (tally !== NO_TALLY) this.#tallies.push(tally)
      this.#state = state
    } catch (error) {
      // A TypeError: the data of a known kind has another form than this version knows. The timeline keeps the event; the projection passes over it.
      if (!(error instanceof ImpossibleTransitionError || error instanceof TypeError)) throw error
      this.#counted++
      this.#alarm('impossible', record, error.message)
    }
  }

  #flush(): void {
    if (this.#counted > 0) this.#state = { ...this.#state, events: this.#state.events + this.#counted, lastPosition: this.#last }
    this.#counted = 0
  }

  #fence(record: EventRecord, why: string): void {
    this.#alarm('fenced', record, `a ${record.kind} event is left out of the timeline: ${why}`)
  }

  #alarm(alarm: WriteAlarm['alarm'], { epoch, seq }: Position, note: string): void {
    this.#alarms.push({ fid: this.#state.fid, position: { epoch, seq }, alarm, note })
  }
}

/** The kinds that change more of a run than its count of events. */
const LOOKED_AT: ReadonlySet<string> = new Set(['attempt', 'status', 'inputs', 'meta', 'final', 'error', 'lock', 'lease', 'escalate', 'progress', 'model'])

/** True for a kind that changes nothing of a run but its count of events. */
export function isQuiet(kind: string): boolean {
  return !LOOKED_AT.has(kind)
}

/** The kinds for which `foldRun` needs the locks of a run. */
const LOCK_KINDS: ReadonlySet<string> = new Set(['lock', 'lease', 'escalate', 'status', 'attempt'])

/** True when folding these records may change locks, so that the store has to load them. */
export function touchesLocks(records: readonly EventRecord[]): boolean {
  return records.some((record) => LOCK_KINDS.has(record.kind))
}

function decode(fid: string, record: EventRecord): RunEvent {
  try {
    return must(decodeEvent(fid, record), `kind ${record.kind}`)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    const where = `event ${formatPosition(record)} (${record.kind}) of run ${fid}`
    throw new PoisonError(`The data of ${where} is not JSON. Set it aside as a dead event.`, { code: 'broken_event', cause })
  }
}

function findOpenings(records: readonly EventRecord[], after: Position): Opening[] {
  const openings: Opening[] = []
  for (const [index, record] of records.entries()) {
    if (record.seq === 1 && record.epoch > after.epoch) openings.push({ index, epoch: record.epoch, ...readSeal(record) })
  }
  return openings
}

/** A first event without a seal (none of ours) counts as one that knows nothing before it. */
function readSeal(record: EventRecord): Pick<Opening, 'prev' | 'lost'> {
  if (record.kind !== 'attempt') return { prev: ORIGIN, lost: undefined }
  const { prev, lost } = (safeJson(record.data) ?? {}) as { prev?: unknown; lost?: { from?: unknown; to?: unknown } }
  const [from, to] = [position(lost?.from), position(lost?.to)]
  return { prev: position(prev) ?? ORIGIN, lost: from && to && comparePositions(from, to) <= 0 ? { from, to } : undefined }
}

function position(value: unknown): Position | undefined {
  return typeof value === 'string' ? parsePosition(value) : undefined
}

function safeJson(text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
