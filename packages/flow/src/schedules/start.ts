import { isEnded, RefusedError } from '@koco/core'
import type { ExecutionStore, Schedule, ScheduleStep } from '@koco/storage'
import type { Launcher } from '../launcher.ts'

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

/** Starts a run of a schedule's flow, as the schedule's user. */
export async function start(launcher: Pick<Launcher, 'start'>, { flow, inputs, user }: Schedule, key: string | null): Promise<{ readonly fid: string }> {
  const { fid } = await launcher.start({ flow, inputs, user, idempotencyKey: key })
  return { fid }
}
