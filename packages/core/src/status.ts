/** The statuses of a run: the same words in the stores, in Temporal, in the API and on the page. */
export const RUN_STATUSES = ['starting', 'running', 'awaiting', 'paused', 'finished', 'error', 'cancelled', 'timed_out'] as const

/** One of `RUN_STATUSES`. */
export type RunStatus = (typeof RUN_STATUSES)[number]

/** The statuses of a run that is over. Only a retry leaves them, by a later epoch. */
export type EndedStatus = 'finished' | 'error' | 'cancelled' | 'timed_out'

/*
 *            ┌──────────────────────────────┐
 *            │        ┌──▶ awaiting ──┐     ▼
 *   starting ┴─▶ running ◀────────────┤    ended: finished, error, cancelled, timed_out
 *      ▲              └──▶ paused ────┘     │
 *      └──────────── retry ─────────────────┘
 *
 * A recovered try says its status again, so every live status may follow itself; waits turn into pauses and back.
 */
const LIVE: readonly RunStatus[] = ['running', 'awaiting', 'paused', 'error', 'cancelled', 'timed_out']
const NEXT: Readonly<Record<RunStatus, readonly RunStatus[]>> = {
  starting: ['starting', ...LIVE],
  running: [...LIVE, 'finished'],
  awaiting: LIVE,
  paused: LIVE,
  finished: [],
  error: [],
  cancelled: [],
  timed_out: [],
}

/** True when the run is over. */
export function isEnded(status: RunStatus): status is EndedStatus {
  return NEXT[status].length === 0
}

/** True when `to` may follow `from` without a retry in between. */
export function mayFollow(from: RunStatus, to: RunStatus): boolean {
  return NEXT[from].includes(to)
}

/** True for one of the eight words. */
export function isRunStatus(text: unknown): text is RunStatus {
  return RUN_STATUSES.includes(text as RunStatus)
}
