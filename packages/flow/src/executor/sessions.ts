import { RefusedError } from '@koco/core'
import type { RunSessions } from '../context.ts'
import { never, type Runtime } from './runtime.ts'

/** `ctx.sessions`: the conversations of the run's user, as the store has them. */
export function createSessions(runtime: Runtime): RunSessions {
  const sessions: RunSessions = {
    async read(id: string, revision?: number): ReturnType<RunSessions['read']> {
      if (runtime.phase === 'closed') return never()
      const { sessions, run } = runtime.deps
      if (!sessions) throw new RefusedError('No conversations are kept here.', { code: 'no_sessions' })
      const end = runtime.begin()
      try {
        const found = await sessions.read(id, revision === undefined ? {} : { revision })
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
