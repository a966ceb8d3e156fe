import { randomBytes } from 'node:crypto'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { ChatMessage, CommandOutcome, ModelUse, NewSession, SessionCommand } from '../port/sessions.ts'
import { START } from './scenario.ts'

let made = 0

/** A message with an id of its own. */
export function message(content: ChatMessage['content'], role = 'user', more: object = {}): ChatMessage {
  made += 1
  return { id: `m${made}`, role, content, ...more }
}

/** What a call of a model spent. */
export function spent(output: number, cost: number | null = null): ModelUse {
  const tokens = { input_uncached: 1, cache_read: 2, cache_write: 3, output, reasoning: 4 }
  return { provider: 'local', model: 'tiny', at: START, tokens, cost }
}

/** Sessions of Ada in a store: makes one, changes it ten seconds later, gives what is said in it. */
export type Talk = {
  create(more?: Partial<NewSession>): Promise<string>
  change(id: string, command: SessionCommand, expectedRevision?: number): Promise<CommandOutcome>
  contents(id: string): Promise<unknown[]>
}

/** The talks of the store that is open. */
export function talkIn(store: () => ExecutionStore): Talk {
  return {
    async create(more = {}) {
      const id = randomBytes(6).toString('hex')
      await store().sessions.create({ id, user: 'ada', at: START, ...more })
      return id
    },
    change: (id, command, expectedRevision) =>
      store().sessions.change(id, command, { at: START + 10, ...(expectedRevision !== undefined && { expectedRevision }) }),
    contents: async (id) => (await store().sessions.read(id))?.messages.map(({ content }) => content) ?? [],
  }
}
