import type { SignalBus } from '@koco/transport'
import type { Conversations } from '../chat/conversations.ts'

/** Tells who follows a session that a turn of it began or ended, in whatever panel. */
export type SessionNews = {
  /** Calls `listener` at news of the session, and when the bus was away and anything may have been missed; the result ends it. */
  on(session: string, listener: () => void): () => void
  close(): void
}

/** One subscription for this process; what happens here is told to the others. */
export async function createSessionNews(signals: SignalBus, conversations: Conversations): Promise<SessionNews> {
  const listeners = new Map<string, Set<() => void>>()
  const stopTelling = conversations.onTurn((id) => void signals.publish([{ topic: 'session', fid: id }]))
  const stopHearing = await signals.subscribe('session', '*', ({ fid }) => {
    for (const listener of listeners.get(fid) ?? []) listener()
  })
  const stopReconnect = signals.onReconnect(() => {
    for (const some of listeners.values()) for (const listener of some) listener()
  })
  return {
    on(session, listener) {
      const some = listeners.get(session) ?? new Set()
      listeners.set(session, some.add(listener))
      return () => {
        some.delete(listener)
        if (some.size === 0 && listeners.get(session) === some) listeners.delete(session)
      }
    },
    close() {
      stopTelling()
      stopHearing()
      stopReconnect()
      listeners.clear()
    },
  }
}
