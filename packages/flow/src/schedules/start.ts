import { isEnded, RefusedError } from '@koco/core'
import type { ExecutionStore, Schedule, ScheduleStep } from '@koco/storage'
import type { Launcher } from '../launcher.ts'
import { isDueStart } from './due-starts.ts'
import { nextDue } from './timing.ts'

/** What making the starts of schedules needs. */
export type StartDeps = { readonly store: Pick<ExecutionStore, 'runs' | 'schedules'>; readonly launcher: Pick<Launcher, 'start'> }

/**
 * Makes the start of a schedule that was due at a time (unix ms); the same start twice gives one run. What came of it is in the answer: a launcher that refuses (the flow is not
 * served any more) is a problem of the schedule; one that is away throws UnavailableError, and the start is to be made again.
 */
export async function startDue({ store, launcher }: StartDeps, schedule: Schedule, atMs: number): Promise<Omit<ScheduleStep, 'nextAt'>> {
  const { id, lastAt, lastFid } = schedule
  const lastStart = { lastAt, lastFid }
  const key = `schedule:${id}:${Math.round(schedule.createdAt * 1000)}:${new Date(atMs).toISOString()}`
  const before = schedule.overlap === 'skip' && lastFid !== null && lastAt !== atMs / 1000 ? await store.runs.get(lastFid) : undefined
  if (before && !isEnded(before.status)) {
    return { ...lastStart, problem: `The start of ${new Date(atMs).toISOString()} was passed over: run ${before.fid} was not over (${before.status}).` }
  }
  try {
    const { fid } = await start(launcher, schedule, key)
    return { lastAt: atMs / 1000, lastFid: fid, problem: null }
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    return { ...lastStart, problem: `The start of ${new Date(atMs).toISOString()} was refused: ${error.message}` }
  }
}

/** As `startDue`, for who is told of each start by itself: passes over what the policy about missed starts leaves out, and notes what came of it. */
export async function startDueById(deps: StartDeps, id: string, atMs: number, nowMs: number): Promise<void> {
  const schedule = await deps.store.schedules.get(id)
  if (!schedule || schedule.paused) return
  const nextMs = nextDue(schedule, Math.max(atMs, nowMs))
  const outcome: Omit<ScheduleStep, 'nextAt'> = isDueStart(schedule, atMs, nowMs)
    ? await startDue(deps, schedule, atMs)
    : { lastAt: schedule.lastAt, lastFid: schedule.lastFid, problem: `The start of ${new Date(atMs).toISOString()} was missed and is not made up for.` }
  // Somebody who takes a step meanwhile notes a later start.
  await deps.store.schedules.advance(id, schedule.nextAt, { ...outcome, nextAt: nextMs === null ? null : nextMs / 1000 })
}

/** Starts a run of a schedule's flow, as the schedule's user. */
export async function start(launcher: Pick<Launcher, 'start'>, { flow, inputs, user }: Schedule, key: string | null): Promise<{ readonly fid: string }> {
  const { fid } = await launcher.start({ flow, inputs, user, idempotencyKey: key })
  return { fid }
}
