import { createHash, type Hash } from 'node:crypto'
import { canonicalJson, isEnded, ORIGIN, RefusedError, toJson, type EventRecord, type Position } from '@koco/core'
import type { RunCopy, SessionCopy } from '../port/keeper.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import { SIDE_TABLES, type SideTable } from '../side-tables.ts'
import { pagesOf } from '../pages.ts'

/** What was moved. `digest`: SHA-256 over every run, event, conversation, schedule and dead event, the same for both stores. */
export type MoveReport = {
  readonly runs: number
  readonly events: number
  readonly unfinished: number
  readonly sessions: number
  readonly schedules: number
  readonly deadEvents: number
  readonly digest: string
}

/** `onProgress`: told after each page of runs, first while copying, then while comparing. */
export type MoveOptions = { readonly onProgress?: (phase: 'copied' | 'compared', runs: number) => void; readonly signal?: AbortSignal }

const PAGE = 200
const RECORDS = 1000

/**
 * Copies everything of one execution store into another, and then compares both by count and hash. The same ids, positions and texts. What is there already, and the same, is not written again: a move
 * that was cut off goes on when it is called again. Nothing is taken out of the source; nobody may write to it meanwhile. RefusedError `move_differs` names what is not equal; `move_stopped`.
 */
export async function moveExecutionStore(from: ExecutionStore, to: ExecutionStore, options: MoveOptions = {}): Promise<MoveReport> {
  let done = 0
  for await (const copies of pagesOf((after) => from.keeper.copies(after, PAGE), fidOf)) {
    stopIfAsked(options)
    await moveRuns(from, to, copies)
    done += copies.length
    options.onProgress?.('copied', done)
  }
  for await (const copies of pagesOf((after) => from.keeper.sessionCopies(after, PAGE), idOf)) await to.keeper.putSessions(copies)
  await moveRest(from, to)
  return await compare(from, to, options)
}

/** A run's events first and the run last: a run that is there is there whole. */
async function moveRuns(from: ExecutionStore, to: ExecutionStore, copies: readonly RunCopy[]): Promise<void> {
  const [first] = copies
  const there = new Map((first ? await copiesBetween(to, copies) : []).map((copy) => [copy.state.fid, textOf(copy)]))
  const missing = copies.filter((copy) => there.get(copy.state.fid) !== textOf(copy))
  for (const copy of missing) {
    for await (const records of recordsOf(from, copy.state.fid)) await to.keeper.addRecords(copy.state, records)
  }
  await to.keeper.put(missing)
}

/** What the target has of these runs, which are in the order of their fids. */
async function copiesBetween(store: ExecutionStore, copies: readonly RunCopy[]): Promise<RunCopy[]> {
  const found: RunCopy[] = []
  const [first, last] = [copies[0]?.state.fid ?? '', copies.at(-1)?.state.fid ?? '']
  let after: string | null = before(first)
  while (after === null || after < last) {
    const page: readonly RunCopy[] = await store.keeper.copies(after, PAGE)
    found.push(...page)
    const end = page.at(-1)
    if (!end) break
    after = end.state.fid
  }
  return found
}

/** A text directly below a fid, so that a page that begins behind it begins with that fid. */
function before(fid: string): string {
  return `${fid.slice(0, -1)}${String.fromCharCode(fid.charCodeAt(fid.length - 1) - 1)}~`
}

async function moveRest(from: ExecutionStore, to: ExecutionStore): Promise<void> {
  for await (const schedules of schedulesOf(from)) {
    for (const schedule of schedules) {
      await to.schedules.delete(schedule.id)
      await to.schedules.create(schedule)
    }
  }
  for (const { id: _id, ...dead } of await deadOf(from)) await to.dead.add(dead)
  for (const table of SIDE_TABLES) await to.keeper.putSideRows(table, await from.keeper.sideRows(table))
}

async function compare(from: ExecutionStore, to: ExecutionStore, options: MoveOptions): Promise<MoveReport> {
  const digest = createHash('sha256')
  const counts = { runs: 0, events: 0, unfinished: 0, sessions: 0, schedules: 0, deadEvents: 0 }
  for await (const copies of pagesOf((after) => from.keeper.copies(after, PAGE), fidOf)) {
    stopIfAsked(options)
    const there = new Map((await copiesBetween(to, copies)).map((copy) => [copy.state.fid, copy]))
    for (const copy of copies) {
      const { fid } = copy.state
      const [mine, its] = [await weigh(from, copy), await weigh(to, there.get(fid))]
      if (mine.sum !== its.sum) throw differs(`run ${fid}: ${mine.events} events here, ${its.events} there`)
      digest.update(mine.sum)
      counts.runs += 1
      counts.events += mine.events
      if (!isEnded(copy.state.status)) counts.unfinished += 1
    }
    options.onProgress?.('compared', counts.runs)
  }
  const sessions = compareAll('conversations', await sessionTexts(from), await sessionTexts(to), digest)
  const schedules = compareAll('schedules', await scheduleTexts(from), await scheduleTexts(to), digest)
  const dead = async (store: ExecutionStore) => (await deadOf(store)).map(({ id: _id, ...event }) => canonicalJson(toJson(event))).toSorted()
  const deadEvents = compareAll('dead events', await dead(from), await dead(to), digest)
  for (const table of SIDE_TABLES) compareAll(table, await sideTexts(from, table), await sideTexts(to, table), digest)
  return { ...counts, sessions, schedules, deadEvents, digest: digest.digest('hex') }
}

/** The count of a run's stored events and the hash of all that is known of it. */
async function weigh(store: ExecutionStore, copy: RunCopy | undefined): Promise<{ readonly sum: string; readonly events: number }> {
  if (!copy) return { sum: '', events: 0 }
  const hash = createHash('sha256').update(textOf(copy))
  let events = 0
  for await (const records of recordsOf(store, copy.state.fid)) {
    for (const { epoch, seq, ts, kind, step, data } of records) hash.update(JSON.stringify([epoch, seq, ts, kind, step, data]))
    events += records.length
  }
  return { sum: hash.digest('hex'), events }
}

function compareAll(what: string, here: readonly string[], there: readonly string[], digest: Hash): number {
  const theirs = new Set(there)
  const missing = here.filter((text) => !theirs.has(text))
  if (missing.length > 0) throw differs(`${missing.length} of ${here.length} ${what}`)
  for (const text of here) digest.update(text)
  return here.length
}

async function sessionTexts(store: ExecutionStore): Promise<string[]> {
  const texts: string[] = []
  for await (const copies of pagesOf((after) => store.keeper.sessionCopies(after, PAGE), idOf))
    for (const copy of copies)
      texts.push(
        createHash('sha256')
          .update(canonicalJson(toJson(copy)))
          .digest('hex'),
      )
  return texts
}

async function scheduleTexts(store: ExecutionStore): Promise<string[]> {
  const texts: string[] = []
  for await (const schedules of schedulesOf(store)) texts.push(...schedules.map((schedule) => canonicalJson(toJson(schedule))))
  return texts
}

async function sideTexts(store: ExecutionStore, table: SideTable): Promise<string[]> {
  return (await store.keeper.sideRows(table)).map((row) => canonicalJson(toJson(row))).toSorted()
}

async function* schedulesOf(store: ExecutionStore) {
  for (let cursor: string | undefined; ;) {
    const page: Awaited<ReturnType<ExecutionStore['schedules']['list']>> = await store.schedules.list({
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    })
    yield page.items
    if (page.next === null) return
    cursor = page.next
  }
}

async function deadOf(store: ExecutionStore) {
  const found = []
  for (let cursor: string | undefined; ;) {
    const page: Awaited<ReturnType<ExecutionStore['dead']['list']>> = await store.dead.list({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) })
    found.push(...page.items)
    if (page.next === null) return found
    cursor = page.next
  }
}

async function* recordsOf(store: ExecutionStore, fid: string): AsyncGenerator<readonly EventRecord[]> {
  for (let after: Position = ORIGIN; ;) {
    const { records, complete } = await store.keeper.records(fid, after, RECORDS)
    if (records.length > 0) yield records
    const last = records.at(-1)
    if (complete || !last) return
    after = { epoch: last.epoch, seq: last.seq }
  }
}

const fidOf = (copy: RunCopy): string => copy.state.fid
const idOf = (copy: SessionCopy): string => copy.session.id

function textOf(copy: RunCopy): string {
  return canonicalJson(toJson(copy))
}

function stopIfAsked({ signal }: MoveOptions): void {
  if (signal?.aborted) throw new RefusedError('The move was stopped. Give the same command again: it goes on where it was.', { code: 'move_stopped' })
}

function differs(what: string): RefusedError {
  return new RefusedError(`After the move both places differ: ${what}. Is a koco still writing to the old place? Stop it and move again.`, {
    code: 'move_differs',
  })
}
