import { comparePositions, formatPosition, must, newFid, ORIGIN, RefusedError, toJsonText, type EventRecord, type Position } from '@koco/core'
import type { ExecutionStore } from '@koco/storage'
import type { Clock } from '../clock.ts'
import type { Contents } from '../contents/port.ts'
import { claimResult, type Claimed } from '../contents/records.ts'
import type { Launcher } from '../launcher.ts'
import { forkPrefix, planFork, type ForkEdits, type ForkPlan } from './plan.ts'

/** `contents`: where large results lie; without it edited ones are as large as events may be. `copyFiles`: takes over files of the original that the fork's prefix knows of. */
export type ForkDeps = {
  readonly store: ExecutionStore
  readonly launcher: Launcher
  readonly contents?: Contents | undefined
  readonly clock: Pick<Clock, 'now'>
  readonly randomBytes: (count: number) => Uint8Array
  copyFiles(from: string, to: string, uploads: readonly string[]): Promise<void>
}

/** What to fork: a run, up to and with the event at a position, as `user`. */
export type ForkRequest = { readonly fid: string; readonly at: Position; readonly user: string; readonly edits: ForkEdits }

const PAGE = 1000
const BATCH = 500
const BEGUN_MS_MAX = 10_000
const LOOK_MS = 10
/** A fork reads the whole timeline of its original into memory. */
const EVENTS_MAX = 200_000

/** What a fork would be, and nothing done. RefusedError `unknown_run`, `unknown_flow`, `bad_position`, `unknown_step`, `run_too_long`. */
export async function describeFork(deps: ForkDeps, request: ForkRequest): Promise<ForkPlan> {
  const { timeline } = await original(deps, request)
  return planFork(request.fid, newFid(deps.clock.now(), deps.randomBytes(8)), timeline, request.at, request.edits)
}

/**
 * Starts a new run whose journal is the original's up to a position, and gives its id and plan. The copied events keep their positions: they are earlier epochs of the new run, which a `cancelled` closes that tells where it comes
 * from; then the launcher takes it up by a retry, as any run that is over, so every launcher can. The row is made after the events: until then nobody looks after the run, so no half of it is ever
 * executed. RefusedError as `describeFork`.
 */
export async function forkRun(deps: ForkDeps, request: ForkRequest): Promise<{ readonly fid: string; readonly plan: ForkPlan }> {
  const { store, launcher, clock } = deps
  const { run, timeline } = await original(deps, request)
  const fid = newFid(clock.now(), deps.randomBytes(8))
  const plan = planFork(request.fid, fid, timeline, request.at, request.edits)
  const prefix = forkPrefix(request.fid, timeline, request.at, request.user, request.edits)
  await deps.copyFiles(request.fid, fid, prefix.uploads)
  const claimed = await claimAll(deps.contents, prefix.records)
  const records = [...claimed.map(({ record }) => record), ...closing(prefix.records, request, clock.now())]
  // Stored and then folded, not written: what the original spent and did is in the figures already.
  for (let from = 0; from < records.length; from += BATCH) await store.keeper.addRecords({ fid, user: request.user }, records.slice(from, from + BATCH))
  await store.keeper.refold([{ fid, home: null }], { mode: 'scratch', write: true, launcher: '' })
  const { flow, version, summary, tags } = run
  const inputs = request.edits.inputs ?? prefix.inputs ?? run.inputs
  const told = { fid, flow, version, user: request.user, summary, tags, parent: null, inputs, createdAt: clock.now() / 1000 }
  for (const { named } of claimed) named()
  await store.runs.create({ ...told, launcher: launcher.name, idempotencyKey: null })
  await launcher.retry(fid, request.user)
  await untilBegun(store, fid, must(records.at(-1), 'the closing event'))
  return { fid, plan }
}

async function claimAll(contents: Contents | undefined, records: readonly EventRecord[]): Promise<readonly Claimed[]> {
  const claimed: Claimed[] = []
  for (const record of records) claimed.push(contents ? await claimResult(contents, record) : { record, named: () => undefined })
  return claimed
}

/** Until the store knows that the fork lives: whoever looks at it at once must not take the closing of its prefix for its end. A store that is late is not waited for longer than this; the fork goes on all the same. */
async function untilBegun(store: ExecutionStore, fid: string, closed: Position): Promise<void> {
  const deadline = performance.now() + BEGUN_MS_MAX
  while (performance.now() < deadline) {
    const run = await store.runs.get(fid)
    if (!run || comparePositions(run.lastPosition, closed) > 0) return
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

/** The seal of the prefix: without any event of the original there is a first one that says so. */
function closing(prefix: readonly EventRecord[], { fid, at }: ForkRequest, nowMs: number): EventRecord[] {
  const last = prefix.at(-1)
  const end = (position: Position): EventRecord => {
    const reason = `forked from run ${fid} at ${formatPosition(at)}`
    return { ...position, ts: last?.ts ?? nowMs / 1000, kind: 'status', step: null, data: toJsonText({ status: 'cancelled', reason }) }
  }
  if (last) return [end({ epoch: last.epoch, seq: last.seq + 1 })]
  const epoch = at.epoch
  const data = toJsonText({ attempt: 1, reason: 'start', owner: 'fork', prev: formatPosition(ORIGIN) })
  return [{ epoch, seq: 1, ts: nowMs / 1000, kind: 'attempt', step: null, data }, end({ epoch, seq: 2 })]
}

async function original({ store, launcher }: ForkDeps, { fid, at, edits }: ForkRequest) {
  const run = await store.runs.get(fid)
  if (!run) throw new RefusedError(`There is no run ${fid.slice(0, 80)}.`, { code: 'unknown_run' })
  if (run.launcher === 'import')
    throw new RefusedError('An imported run is only there to look at: nobody serves it, so it cannot be forked.', { code: 'imported_run' })
  await launcher.mustServe(run.flow)
  if (run.events > EVENTS_MAX)
    throw new RefusedError(`The run has ${run.events} events; one of more than ${EVENTS_MAX} cannot be forked.`, { code: 'run_too_long' })
  const timeline = await read(store, fid)
  if (!timeline.some((record) => record.epoch === at.epoch && record.seq === at.seq)) {
    throw new RefusedError(`Run ${fid} has no event at ${formatPosition(at)}. Take the position of one of its events.`, { code: 'bad_position' })
  }
  const { reused, again } = planFork(fid, fid, timeline, at, edits)
  const known = new Set([...reused, ...again.filter(({ reason }) => reason === 'asked')].map(({ id }) => id))
  const unknown = [...Object.keys(edits.results ?? {}), ...(edits.again ?? [])].filter((id) => !known.has(id))
  if (unknown.length > 0) {
    throw new RefusedError(
      `No step "${unknown[0] ?? ''}" has finished up to ${formatPosition(at)}. Finished are: ${[...known].slice(0, 20).join(', ') || 'none'}.`,
      {
        code: 'unknown_step',
      },
    )
  }
  return { run, timeline }
}

async function read(store: ExecutionStore, fid: string): Promise<EventRecord[]> {
  const records: EventRecord[] = []
  for (let after: Position = ORIGIN; ;) {
    const page = await store.reader.read(fid, { after, limit: PAGE })
    records.push(...page.records)
    if (page.caughtUp) return records
    after = page.scanned
  }
}
