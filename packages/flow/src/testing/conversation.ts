import type { Json } from '@koco/core'
import type { Conversation, SessionStore } from '@koco/storage'

/** A message of a test's conversation. */
export type TestMessage = { readonly role: string; readonly content: Json; readonly [field: string]: Json }

/** A conversation in memory, for any session id. */
export function testConversation(messages: readonly TestMessage[], steers: readonly string[], user: string): Pick<SessionStore, 'read'> {
  return {
    async read(id) {
      const session: Conversation['session'] = {
        id,
        user,
        title: 'Test',
        model: null,
        workspace: null,
        personality: null,
        project: null,
        flow: null,
        pinned: false,
        archived: false,
        parent: null,
        createdAt: 0,
        updatedAt: 0,
        messageCount: messages.length,
        revision: 1,
        undone: 0,
        turn: null,
        lastJob: null,
        queued: 0,
        damaged: [],
      }
      const named = messages.map((message, index) => ({ id: `m${index}`, ...message }))
      const said = steers.map((text, index) => ({ id: `s${index}`, text }))
      return { session, messages: named, offset: 0, total: named.length, uses: [], toolCalls: [], queue: [], steers: said }
    },
  }
}
