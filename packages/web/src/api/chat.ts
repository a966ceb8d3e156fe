import type { Json } from '@koco/core'
import type { Conversation, Message, Session, SessionHit, SessionQueue, SessionUsage } from '@koco/core/api'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'
import { ApiProblem } from './problem.ts'

const MESSAGES_SHOWN = 200
const SESSIONS_PAGE = 50

/** The sessions of the signed-in person, pinned ones first, then the latest. */
export function sessionsQuery(archived: boolean) {
  return infiniteQueryOptions({
    queryKey: ['chat-sessions', archived],
    queryFn: ({ pageParam, signal }) =>
      api<{ sessions: readonly Session[]; next: string | null }>(
        `/api/sessions${queryOf({ archived: archived ? '1' : '0', limit: SESSIONS_PAGE, after: pageParam ?? undefined })}`,
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: 10_000,
  })
}

/** Sessions whose title or messages hold these words. */
export function searchQuery(q: string) {
  return queryOptions({
    queryKey: ['chat-search', q],
    queryFn: async ({ signal }) =>
      (await api<{ sessions: readonly SessionHit[] }>(`/api/sessions/search${queryOf({ q, content: 1, depth: 1000, limit: 50 })}`, { signal })).sessions,
    enabled: q !== '',
    staleTime: 5000,
  })
}

/** A session with its last messages. Others may speak in it too, so it is looked at again now and then. */
export function conversationQuery(id: string) {
  return queryOptions({
    queryKey: ['chat', id],
    queryFn: async ({ signal }) =>
      (await api<{ session: Conversation }>(`/api/session${queryOf({ session_id: id, msg_limit: MESSAGES_SHOWN })}`, { signal })).session,
    refetchInterval: 5000,
  })
}

/** The messages before those that are shown. */
export async function earlierMessages(id: string, before: number): Promise<readonly Message[]> {
  const { session } = await api<{ session: Conversation }>(`/api/session${queryOf({ session_id: id, msg_limit: MESSAGES_SHOWN, msg_before: before })}`)
  return session.messages
}

/** What a session has spent. */
export function usageQuery(id: string, revision: number) {
  return queryOptions({
    queryKey: ['chat-usage', id, revision],
    queryFn: ({ signal }) => api<SessionUsage>(`/api/session/usage${queryOf({ session_id: id })}`, { signal }),
    staleTime: Infinity,
  })
}

/** What waits to be said, and what was said into the running turn. */
export function queueQuery(id: string) {
  return queryOptions({
    queryKey: ['chat-queue', id],
    queryFn: ({ signal }) => api<SessionQueue>(`/api/chat/queue${queryOf({ session_id: id })}`, { signal }),
  })
}

/** All sessions of a person as far as a tree of forks needs them. */
export const forksQuery = queryOptions({
  queryKey: ['chat-sessions', 'all'],
  queryFn: async ({ signal }) => (await api<{ sessions: readonly Session[] }>('/api/sessions?archived=all&limit=500', { signal })).sessions,
  staleTime: 5000,
})

/** Makes an empty session. */
export async function newSession(): Promise<Session> {
  return (await api<{ session: Session }>('/api/session/new', { method: 'POST', body: {} })).session
}

/** Says something: a turn begins. ApiProblem 409 while one runs. */
export function say(id: string, message: Json): Promise<{ readonly stream_id: string }> {
  return act('/api/chat/start', { session_id: id, message })
}

/** A session command by its path, `rename` or `undo`, say. Some answer 200 with an `error`; that is thrown like every other. */
export function sessionAct<T = unknown>(name: string, id: string, fields: { readonly [name: string]: Json } = {}): Promise<T> {
  return act(`/api/session/${name}`, { session_id: id, ...fields })
}

/** A command to the turn that runs, or to what waits after it. */
export function chatAct<T = unknown>(name: 'cancel' | 'steer' | 'queue', fields: { readonly [name: string]: Json }): Promise<T> {
  return act(`/api/chat/${name}`, fields)
}

async function act<T>(path: string, body: Json): Promise<T> {
  const answer = await api<T & { error?: string }>(path, { method: 'POST', body })
  if (typeof answer.error === 'string') throw new ApiProblem({ status: 200, code: 'nothing_to_do', title: answer.error, detail: answer.error })
  return answer
}
