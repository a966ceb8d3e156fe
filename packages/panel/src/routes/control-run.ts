import { IMPORTED } from '@koco/storage'
import { z } from 'zod'
import { can, type Principal } from '../auth/permissions.ts'
import type { PanelContext } from '../context.ts'
import { ProblemError } from '../server/problems.ts'
import type { StoredRun } from './visible-run.ts'

/** What people ask of a run. */
export const RunControl = z.enum(['pause', 'resume', 'cancel', 'retry', 'archive', 'restore'])

/** One of `RunControl`. */
export type RunControl = z.infer<typeof RunControl>

/** Which right each needs. */
export function rightFor(control: RunControl): 'runs.control' | 'runs.archive' {
  return control === 'archive' || control === 'restore' ? 'runs.archive' : 'runs.control'
}

/** Asks something of a run that this person may ask it of; durable when it resolves. Problems 404 `unknown_run`, 409 `run_over`, `run_not_over` and `imported_run`. */
export async function controlRun(context: PanelContext, me: Principal, run: StoredRun | undefined, control: RunControl, reason?: string): Promise<void> {
  if (!run || !can(me, rightFor(control), run)) throw unknownRun()
  const { launcher, store } = context
  const { fid } = run
  if (control === 'archive' || control === 'restore') {
    if (control === 'archive' && run.finishedAt === null)
      throw new ProblemError(409, 'run_not_over', `Run ${fid} is ${run.status}; cancel it before you archive it.`)
    await store.runs.archive(fid, control === 'archive')
    return
  }
  if (run.launcher === IMPORTED) throw new ProblemError(409, 'imported_run', `Run ${fid} was read from a file: it can be looked at and archived, nothing else.`)
  if (control === 'retry') {
    const { outcome } = await launcher.retry(fid, me.user)
    if (outcome === 'live') throw new ProblemError(409, 'run_not_over', `Run ${fid} is not over; only an ended run can be retried.`)
    if (outcome === 'unknown') throw unknownRun()
    return
  }
  const outcome = control === 'resume' ? await launcher.resume(fid, me.user) : await launcher[control](fid, me.user, reason)
  if (outcome.outcome === 'unknown') throw unknownRun()
  // A repeated cancel of a run that is cancelled by now has what it wanted.
  if (outcome.outcome !== 'ended' || (control === 'cancel' && outcome.status === 'cancelled')) return
  throw new ProblemError(409, 'run_over', `Run ${fid} is over: ${outcome.status}. Retry it, or start a new one.`)
}

function unknownRun(): ProblemError {
  return new ProblemError(404, 'unknown_run', 'There is no such run among those that you may see.')
}
