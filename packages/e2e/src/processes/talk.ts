import { setTimeout as delay } from 'node:timers/promises'
import { parseSse, type ApiClient } from './api-client.ts'

/** A message of a conversation as the API gives it. */
export type TalkMessage = { readonly role: string; readonly content: unknown; readonly interrupted?: boolean; readonly turn?: string }

type Session = { readonly session_id: string; readonly messages: readonly TalkMessage[] }

/** Makes a session; gives its id. */
export async function newSession(client: ApiClient): Promise<string> {
  return (await client.json<{ session: Session }>('POST', '/api/session/new', {})).session.session_id
}

/** Says something; gives the stream's id. */
export async function say(client: ApiClient, id: string, message: string): Promise<string> {
  return (await client.json<{ stream_id: string }>('POST', '/api/chat/start', { session_id: id, message })).stream_id
}

/** The messages of a session. */
export async function talk(client: ApiClient, id: string): Promise<readonly TalkMessage[]> {
  return (await client.json<{ session: Session }>('GET', `/api/session?session_id=${id}`)).session.messages
}

/** Follows a stream to its end by its positions, through the deaths of panels and stores. */
export async function over(client: ApiClient, fid: string): Promise<void> {
  let position = ''
  for (;;) {
    try {
      const headers = { accept: 'text/event-stream', ...(position && { 'last-event-id': position }) }
      const response = await client.request('GET', `/api/chat/stream?stream_id=${fid}`, undefined, headers)
      if (response.status === 204) return
      if (response.ok && response.body) {
        for await (const frame of parseSse(response.body)) {
          if (frame.id !== null) position = frame.id
          if (frame.event === 'end') return
        }
      }
    } catch (error) {
      // The panel is away: it comes back, or the test's time ends.
      if (!(error instanceof TypeError)) throw error
    }
    await delay(50)
  }
}
