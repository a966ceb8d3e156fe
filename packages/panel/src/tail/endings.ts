import { isEnded } from '@koco/core'
import type { RunStore } from '@koco/storage'
import type { Wakeups } from './wakeups.ts'

/** Waits for runs to be over: what `Prefer: wait` stands on. */
export type Endings = {
  /** `over` is true when the run is over within the time; false when the time is over, it was cancelled or the panel closes. */
  wait(fid: string, ms: number): { readonly over: Promise<boolean>; readonly cancel: () => void }
  close(): void
}

type Waiter = { readonly fid: string; readonly done: (over: boolean) => void }

/** What waiting needs; it looks into the store by itself every so often. */
export type EndingsDeps = {
  readonly wakeups: Wakeups
  readonly runs: Pick<RunStore, 'get'>
  readonly lookAgainMs: number
  readonly log: { warn(data: object, text: string): void }
}

/** Waits on commits, and looks into the store every few seconds for what a lost wake-up missed. */
export function createEndings({ wakeups, runs, lookAgainMs, log }: EndingsDeps): Endings {
  const waiters = new Set<Waiter>()

  async function lookAgain(): Promise<void> {
    for (const fid of new Set([...waiters].map((waiter) => waiter.fid))) {
      const run = await runs.get(fid)
      if (!run || isEnded(run.status)) for (const waiter of waiters) if (waiter.fid === fid) waiter.done(run !== undefined)
    }
  }
  const lookOrWarn = (): void => {
    lookAgain().catch((error: unknown) => log.warn({ err: error }, 'waiting requests could not look into the store; they look again'))
  }
  const timer = setInterval(lookOrWarn, lookAgainMs)
  timer.unref()
  const stop = wakeups.onAnyCommit((commit) => {
    if (!commit) lookOrWarn()
  })

  return {
    wait(fid, ms) {
      const { promise: over, resolve } = Promise.withResolvers<boolean>()
      const done = (isOver: boolean): void => {
        waiters.delete(waiter)
        clearTimeout(timeout)
        stopCommits()
        resolve(isOver)
      }
      const waiter: Waiter = { fid, done }
      const cancel = (): void => done(false)
      const timeout = setTimeout(cancel, ms)
      const stopCommits = wakeups.onCommit(fid, (commit) => {
        if (commit?.ended) done(true)
      })
      waiters.add(waiter)
      if (wakeups.endedLately(fid)) done(true)
      return { over, cancel }
    },
    close() {
      clearInterval(timer)
      stop()
      for (const waiter of waiters) waiter.done(false)
    },
  }
}
