import type { Json, TokenCounts } from '@koco/core'
import type { Page } from './page.ts'

/** A message of a conversation, as it was given; `id` tells it from every other one of its session. */
export type ChatMessage = { readonly id: string; readonly role: string; readonly content: Json; readonly [field: string]: Json }

/** One model call of a turn. `at` is unix seconds; `cost` what the provider billed, null when it did not say. */
export type ModelUse = { readonly provider: string; readonly model: string; readonly at: number; readonly tokens: TokenCounts; readonly cost: number | null }

/** The run that holds a session: a turn of the talk, or the job that makes it shorter. `revision`: the session's when the turn began. */
export type ActiveTurn = { readonly fid: string; readonly kind: TurnKind; readonly startedAt: number; readonly revision: number }

/** What a run does for its session. */
export type TurnKind = 'chat' | 'compress'

/** What people may say of a session; null for what is not set. `flow`: which flow answers. */
export type SessionLabels = {
  readonly title: string
  readonly model: string | null
  readonly workspace: string | null
  readonly personality: string | null
  readonly project: string | null
  readonly flow: string | null
  readonly pinned: boolean
  readonly archived: boolean
}

/**
 * A conversation as lists show it, folded from its log. Times are unix seconds; `revision` is the number of entries of its log. `undone`: how many undos may be redone. `damaged`: entries of the log that cannot
 * be read any more; they are left out, and nothing but deleting the session is done to it.
 */
export type ChatSession = SessionLabels & {
  readonly id: string
  readonly user: string
  readonly parent: string | null
  readonly createdAt: number
  readonly updatedAt: number
  readonly messageCount: number
  readonly revision: number
  readonly undone: number
  readonly turn: ActiveTurn | null
  /** The last compressing turn that ended. */
  readonly lastJob: { readonly fid: string; readonly end: TurnEnd } | null
  readonly queued: number
  readonly damaged: readonly number[]
}

/** A message that waits for the running turn to end; or one that was said into the running turn. */
export type WaitingMessage = { readonly id: string; readonly message: ChatMessage; readonly model: string | null }
export type Steer = { readonly id: string; readonly text: string }

/** A session with its messages from `offset` on; `total` counts all of them. A message whose stored text is damaged is there with its id and role, empty content and `damaged: true`. */
export type Conversation = {
  readonly session: ChatSession
  readonly messages: readonly ChatMessage[]
  readonly offset: number
  readonly total: number
  /** Everything ever spent on models in it, in order; undo takes nothing back. */
  readonly uses: readonly ModelUse[]
  /** What came along at its import. */
  readonly toolCalls: readonly Json[]
  readonly queue: readonly WaitingMessage[]
  /** Said into the running turn so far, in order. */
  readonly steers: readonly Steer[]
}

/** Which messages to read: the last `limit` of those before index `before`; default all. `revision`: as the session was then. */
export type ConversationQuery = { readonly before?: number; readonly limit?: number; readonly revision?: number }

/** A session to make. Times are unix seconds. */
export type NewSession = Partial<SessionLabels> & {
  readonly id: string
  readonly user: string
  readonly at: number
  readonly parent?: string
  readonly messages?: readonly ChatMessage[]
  readonly toolCalls?: readonly Json[]
  readonly uses?: readonly ModelUse[]
}

/** How a turn ended; the words of runs. `lost`: its run is not there any more. */
export type TurnEnd = 'finished' | 'error' | 'cancelled' | 'timed_out' | 'lost'

/**
 * What is done to a session; each becomes one entry of its log, or none. Undo, retry, truncate and clear hide messages, which a redo brings back until something new is said.
 * `end-turn`: may be repeated, counts once. `heard`: the steers that the turn came to; all others, also those that come in the last moment, are put first into the queue. `replace`: the first so many messages are replaced by these.
 */
export type SessionCommand =
  | { readonly do: 'append'; readonly messages: readonly ChatMessage[] }
  | { readonly do: 'truncate'; readonly keep: number }
  | { readonly do: 'undo'; readonly turns: number }
  | { readonly do: 'retry' }
  | { readonly do: 'redo' }
  | { readonly do: 'label'; readonly labels: Partial<SessionLabels> }
  | { readonly do: 'use'; readonly uses: readonly ModelUse[] }
  | {
      readonly do: 'start-turn'
      readonly fid: string
      readonly kind: TurnKind
      /** What the person says; `next`: what waits first in the queue. */
      readonly message?: ChatMessage | 'next'
      readonly labels?: Partial<SessionLabels>
    }
  | {
      readonly do: 'end-turn'
      readonly fid: string
      readonly end: TurnEnd
      readonly messages: readonly ChatMessage[]
      readonly uses: readonly ModelUse[]
      readonly heard?: readonly string[]
      readonly replace?: number
    }
  /** Takes a turn back that never began: what was said for it is hidden again. */
  | { readonly do: 'abandon-turn'; readonly fid: string }
  | { readonly do: 'steer'; readonly id: string; readonly text: string }
  | { readonly do: 'queue'; readonly id: string; readonly message: ChatMessage; readonly model: string | null }
  | { readonly do: 'unqueue'; readonly id: string }

/**
 * What became of a command. `stale`: the session is at another revision than was expected. `busy`: a turn holds the session. `nothing`: there is nothing to undo, retry, redo or take. `over`: this turn was ended
 * before. `idle`: no such turn runs. `damaged`: the log has unreadable entries. `removed` and `restored` count messages, `first` is the first one that was removed.
 */
export type CommandOutcome =
  | { readonly outcome: 'done'; readonly session: ChatSession; readonly removed: number; readonly restored: number; readonly first: ChatMessage | null }
  | { readonly outcome: 'stale'; readonly revision: number }
  | { readonly outcome: 'busy'; readonly fid: string }
  | { readonly outcome: 'unknown' | 'nothing' | 'over' | 'idle' | 'damaged' }

/** Sessions by their last change, pinned ones first. `q` looks into titles, all of its words. */
export type SessionQuery = { readonly user: string; readonly archived?: boolean; readonly q?: string; readonly cursor?: string; readonly limit: number }

/** A session that a search found: by its title, or by one of its messages; `preview` is the place. */
export type SessionHit = { readonly session: ChatSession; readonly match: 'title' | 'content'; readonly preview: string; readonly messageId: string | null }

/** `depth`: how many messages from the beginning of each session are looked into. */
export type SessionSearch = { readonly user: string; readonly q: string; readonly content: boolean; readonly depth: number; readonly limit: number }

/**
 * Conversations: one log of entries each, only ever added to, and a row for lists that follows from it. Every command is one transaction over the log as it then is: two at once take turns, in this
 * process or another. What resolved survives the death of the process and of the machine.
 */
export interface SessionStore {
  /** RefusedError `session_exists`. Messages whose id is there already get another one. */
  create(session: NewSession): Promise<ChatSession>
  get(id: string): Promise<ChatSession | undefined>
  /** One snapshot of the session and its messages. */
  read(id: string, query?: ConversationQuery): Promise<Conversation | undefined>
  /** RefusedError `bad_cursor`. */
  list(query: SessionQuery): Promise<Page<ChatSession>>
  /** Hits in titles first, then in messages, the latest sessions first. */
  search(query: SessionSearch): Promise<readonly SessionHit[]>
  /** `expectedRevision`: do it only if the session is at this revision. `at`: unix seconds. */
  change(id: string, command: SessionCommand, options: { readonly at: number; readonly expectedRevision?: number | undefined }): Promise<CommandOutcome>
  /** Keeps what somebody is about to say; no entry of the log, no change of `updatedAt`. False for an unknown session. */
  setDraft(id: string, draft: Json): Promise<boolean>
  draft(id: string): Promise<Json>
  /** The sessions that a turn holds or where something waits to be said, by id. */
  held(after: string | null, limit: number): Promise<readonly ChatSession[]>
  /** Deletes the session and its log; false when it was not there. */
  delete(id: string): Promise<boolean>
}
