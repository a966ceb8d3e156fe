import { RefusedError, UnavailableError } from '@koco/core'
import type { RunSessions } from '../context.ts'
import { never, type Runtime } from './runtime.ts'

const AGAIN_MS = 250
const AGAIN_MS_MAX = 5_000

/** `ctx.sessions`: the conversations of the run's user, as the store has them. While the store is away a read waits: that is no fault of the flow. */
export function createSessions(runtime: Runtime): RunSessions {
  const sessions: RunSessions = {
    async read(id: string, revision?: number): ReturnType<RunSessions['read']> {
      if (runtime.phase === 'closed') return never()
      const { sessions, run } = runtime.deps
      if (!sessions) throw new RefusedError('No conversations are kept here.', { code: 'no_sessions' })
      const end = runtime.begin()
      try {
        const found = await patiently(runtime, () => sessions.read(id, revision === undefined ? {} : { revision }))
        if (found?.session.user !== run.user) throw new RefusedError(`There is no session ${id.slice(0, 80)} of ${run.user}.`, { code: 'unknown_session' })
        const { session, messages, steers } = found
        return { session, messages, steers }
      } finally {
        end()
      }
    },
  }
  return Object.freeze(sessions)
}

/** Reads until the store answers, or the run is to end. */
async function patiently<T>(runtime: Runtime, read: () => Promise<T>): Promise<T> {
  for (let waitMs = AGAIN_MS; ; waitMs = Math.min(waitMs * 2, AGAIN_MS_MAX)) {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
    }
    await pause(runtime, waitMs)
    runtime.signal.throwIfAborted()
  }
}

function pause({ deps, signal }: Runtime, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = deps.clock.timer(ms, done)
    signal.addEventListener('abort', done)
  })
}
