import type { ChatMessage, CommandOutcome, NewSession, SessionCommand } from '../port/sessions.ts'
import type { NewEntry, Said } from './entry.ts'
import { NO_LABELS, type FoldedSession, type MessageRef } from './fold.ts'

/** What a command comes to: an entry for the log, or the reason why there is none. `next`: take the message of the queue's first. */
export type Decision =
  | { readonly entry: NewEntry; readonly removed?: readonly MessageRef[]; readonly restored?: readonly MessageRef[] }
  | Exclude<CommandOutcome, { readonly outcome: 'done' | 'unknown' }>

/** The texts that a decision needs of the log: the first waiting message, as a message. */
export type Lookup = { readonly waiting: (session: FoldedSession) => { readonly message: ChatMessage; readonly model: string | null } | undefined }

/** Messages of one entry of a new session: a long import is read a window at a time, not whole. */
const ENTRY_MESSAGES = 200

/** The first entries of a session. */
export function firstEntries(session: NewSession): readonly NewEntry[] {
  const { id: _id, user, at: _at, parent = null, messages = [], toolCalls = [], uses = [], ...labels } = session
  const named = withOwnIds(messages, new Set(), 1)
  const first = named.slice(0, ENTRY_MESSAGES)
  const created: NewEntry = {
    head: { kind: 'created', user, parent, labels: { ...NO_LABELS, ...labels }, uses, ...said(first) },
    body: { messages: first, toolCalls },
  }
  const more = Array.from({ length: Math.ceil(named.length / ENTRY_MESSAGES) - 1 }, (_, n): NewEntry => {
    const part = named.slice((n + 1) * ENTRY_MESSAGES, (n + 2) * ENTRY_MESSAGES)
    return { head: { kind: 'appended', ...said(part) }, body: { messages: part } }
  })
  return [created, ...more]
}

/** Decides a command over a session as it is; pure. */
export function decide(session: FoldedSession, command: SessionCommand, expected: number | undefined, lookup: Lookup): Decision {
  if (session.damaged.length > 0 && !endsTurn(command)) return { outcome: 'damaged' }
  if (expected !== undefined && expected !== session.revision) return { outcome: 'stale', revision: session.revision }
  if (session.turn && needsRest(command)) return { outcome: 'busy', fid: session.turn.fid }
  switch (command.do) {
    case 'append':
      return { entry: saying(session, command.messages) }
    case 'truncate':
      return truncate(session, command.keep)
    case 'undo':
      return truncateAt(session, command.turns)
    case 'retry':
      return truncateAt(session, 1)
    case 'redo': {
      const restored = session.undone.at(-1)
      return restored ? { entry: { head: { kind: 'redone' }, body: null }, restored } : { outcome: 'nothing' }
    }
    case 'label':
      return { entry: { head: { kind: 'labelled', labels: command.labels }, body: null } }
    case 'use':
      return { entry: { head: { kind: 'used', uses: command.uses }, body: null } }
    case 'queue': {
      const { id, message, model } = command
      return { entry: { head: { kind: 'queued', id }, body: { messages: [message], model } } }
    }
    case 'unqueue':
      return session.queue.some(({ id }) => id === command.id) ? { entry: { head: { kind: 'unqueued', id: command.id }, body: null } } : { outcome: 'nothing' }
    default:
      return decideTurn(session, command, lookup)
  }
}

type TurnCommand = Extract<SessionCommand, { do: 'start-turn' | 'end-turn' | 'abandon-turn' | 'steer' }>

function decideTurn(session: FoldedSession, command: TurnCommand, lookup: Lookup): Decision {
  if (command.do === 'start-turn') return startTurn(session, command, lookup)
  const { turn } = session
  if (command.do === 'steer') {
    if (turn?.kind !== 'chat') return { outcome: 'idle' }
    return { entry: { head: { kind: 'steered', id: command.id }, body: { text: command.text } } }
  }
  if (turn?.fid !== command.fid) return { outcome: session.ended.has(command.fid) ? 'over' : 'idle' }
  if (command.do === 'abandon-turn') return { entry: { head: { kind: 'turn-abandoned', fid: command.fid }, body: null } }
  const { fid, end, messages, uses, heard = [], replace = 0 } = command
  const named = withOwnIds(messages, session.ids, session.revision + 1)
  return { entry: { head: { kind: 'turn-ended', fid, end, uses, heard, replace, ...said(named) }, body: { messages: named } } }
}

function startTurn(session: FoldedSession, command: Extract<SessionCommand, { do: 'start-turn' }>, lookup: Lookup): Decision {
  const { fid, kind, message, labels = {} } = command
  const next = message === 'next' ? lookup.waiting(session) : undefined
  if (message === 'next' && !next) return { outcome: 'nothing' }
  const first = message === 'next' ? next?.message : message
  const named = first === undefined ? [] : withOwnIds([first], session.ids, session.revision + 1)
  const queued = message === 'next' ? (session.queue[0]?.id ?? null) : null
  const change = next?.model ? { ...labels, model: next.model } : labels
  return { entry: { head: { kind: 'turn-started', fid, turn: kind, queued, labels: change, ...said(named) }, body: { messages: named } } }
}

function truncate(session: FoldedSession, keep: number): Decision {
  const removed = session.live.slice(keep)
  return removed.length === 0 ? { outcome: 'nothing' } : { entry: { head: { kind: 'truncated', keep }, body: null }, removed }
}

/** From the `turns`th last message of a person on; from the first one of them when there are not so many. */
function truncateAt(session: FoldedSession, turns: number): Decision {
  const starts = session.live.flatMap(({ role }, index) => (role === 'user' ? [index] : []))
  const at = starts.at(-turns) ?? starts[0]
  return at === undefined ? { outcome: 'nothing' } : truncate(session, at)
}

function saying(session: FoldedSession, messages: readonly ChatMessage[]): NewEntry {
  const named = withOwnIds(messages, session.ids, session.revision + 1)
  return { head: { kind: 'appended', ...said(named) }, body: { messages: named } }
}

function said(messages: readonly ChatMessage[]): Said {
  return { ids: messages.map(({ id }) => id), roles: messages.map(({ role }) => role) }
}

/** A message whose id is taken gets another one: two that say the same stay two. */
function withOwnIds(messages: readonly ChatMessage[], taken: ReadonlySet<string>, revision: number): ChatMessage[] {
  const ids = new Set(taken)
  return messages.map((message, index) => {
    const id = ids.has(message.id) ? freeId(`${message.id}-${revision}.${index}`, ids) : message.id
    ids.add(id)
    return id === message.id ? message : { ...message, id }
  })
}

function freeId(id: string, ids: ReadonlySet<string>): string {
  let free = id
  for (let n = 2; ids.has(free); n += 1) free = `${id}.${n}`
  return free
}

/** What may be done only while no turn runs: it would pull the transcript from under it. */
function needsRest({ do: what }: SessionCommand): boolean {
  return ['append', 'truncate', 'undo', 'retry', 'redo', 'start-turn'].includes(what)
}

function endsTurn({ do: what }: SessionCommand): boolean {
  return what === 'end-turn' || what === 'abandon-turn'
}
