import { randomBytes } from 'node:crypto'
import { isJsonObject, ORIGIN, parseJson, RefusedError, type Json, type Position } from '@koco/core'
import type { CheckpointSessions, Message, NewSession, Pending, SessionCopy, SessionState } from '@koco/checkpoints'
import type { Workspaces } from '@koco/flow'
import type { ChatMessage, Conversation, ExecutionStore, SessionCommand, SessionLabels } from '@koco/storage'

/** What sessions are made of here. `clock`: ms since 1970. */
export type ChatSessionsDeps = {
  readonly store: Pick<ExecutionStore, 'sessions' | 'reader' | 'locks'>
  readonly workspaces: Workspaces
  readonly clock: () => number
}

const ID = /^[0-9a-f]{12}$/
const LABELS = ['title', 'model', 'personality', 'project', 'flow'] as const
const PAGE = 1000

/** The conversations of this installation and their workspaces, as checkpoints see them. */
export function createChatSessions({ store, workspaces, clock }: ChatSessionsDeps): CheckpointSessions {
  const { sessions } = store
  return {
    async read(id) {
      const found = await sessions.read(id)
      return found && copyOf(found, await workspaces.folder({ user: found.session.user, session: id }))
    },
    async place(user, id = randomBytes(6).toString('hex')) {
      if (!ID.test(id)) throw new RefusedError(`"${id.slice(0, 80)}" is not the id of a session: 12 hex digits.`, { code: 'bad_session_id' })
      if (await sessions.get(id)) throw new RefusedError(`There is a session ${id} already.`, { code: 'session_exists' })
      return { id, workspace: await workspaces.folder({ user, session: id }) }
    },
    async create({ id, user, from, messages, state, record }: NewSession) {
      // What was spent stays with the session that spent it.
      const said = { messages: messages.map(messageOf), toolCalls: toolCallsOf(record) }
      await sessions.create({ id, user, at: clock() / 1000, parent: from, ...said, ...labelsOf(state) })
    },
    replace: (id, copy) => replace(store, id, copy, clock),
    pending: (id, common) => pendingOf(store, id, common),
  }
}

function copyOf({ session, messages, uses, toolCalls }: Conversation, workspace: string): SessionCopy {
  const state: Record<string, Json> = {}
  for (const label of LABELS) if (session[label] !== null) state[label] = session[label]
  const record = uses.length === 0 && toolCalls.length === 0 ? null : ({ uses, toolCalls } as unknown as Json)
  return { id: session.id, user: session.user, position: session.revision, messages, state, record, workspace, busy: session.turn !== null }
}

/** What is said now is hidden down to what both have; then the rest of the copy is said. */
async function replace(
  { sessions }: ChatSessionsDeps['store'],
  id: string,
  { messages, state }: Pick<SessionCopy, 'messages' | 'state'>,
  clock: () => number,
): Promise<void> {
  const now = await sessions.read(id)
  if (!now) throw new RefusedError(`There is no session "${id}".`, { code: 'unknown_session' })
  let keep = 0
  while (keep < messages.length && keep < now.messages.length && messages[keep]?.['id'] === now.messages[keep]?.id) keep++
  const commands: SessionCommand[] = [{ do: 'label', labels: labelsOf(state) }]
  if (keep < now.messages.length) commands.unshift({ do: 'truncate', keep })
  if (keep < messages.length) commands.push({ do: 'append', messages: messages.slice(keep).map(messageOf) })
  let expectedRevision = now.session.revision
  for (const command of commands) {
    const done = await sessions.change(id, command, { at: clock() / 1000, expectedRevision })
    if (done.outcome === 'done') expectedRevision = done.session.revision
    else if (done.outcome !== 'nothing') throw refusal(id, done.outcome)
  }
}

function refusal(id: string, outcome: string): RefusedError {
  if (outcome === 'busy' || outcome === 'stale') {
    return new RefusedError(`Session ${id} is at work. Wait for its turn to end or cancel it, or restore to a new session.`, { code: 'session_busy' })
  }
  return new RefusedError(`Session ${id} cannot be put back (${outcome}). Restore to a new session.`, { code: 'session_damaged' })
}

/** The steps that the turns behind the common beginning have finished, and the questions that they have open. */
async function pendingOf(store: ChatSessionsDeps['store'], id: string, common: number): Promise<Pending> {
  const found = await store.sessions.read(id)
  if (!found) return { steps: [], locks: [] }
  const said = found.messages.slice(common).map((message) => message['turn'])
  const fids = new Set([...said, found.session.turn?.fid].filter((fid) => typeof fid === 'string'))
  const [steps, locks]: [string[], string[]] = [[], []]
  for (const fid of fids) {
    steps.push(...(await finishedSteps(store, fid)))
    locks.push(...(await store.locks.list({ fid, status: 'open', limit: PAGE })).items.map(({ name }) => name))
  }
  return { steps, locks }
}

async function finishedSteps({ reader }: ChatSessionsDeps['store'], fid: string): Promise<string[]> {
  const names: string[] = []
  let after: Position = ORIGIN
  for (;;) {
    const page = await reader.read(fid, { after, limit: PAGE, kinds: ['step'] })
    for (const { data } of page.records) {
      const value = parseJson(data)
      if (isJsonObject(value) && value['phase'] === 'finished' && typeof value['name'] === 'string') names.push(value['name'])
    }
    if (page.caughtUp) return names
    after = page.scanned
  }
}

function labelsOf(state: SessionState): Partial<SessionLabels> {
  const labels: Record<string, string> = {}
  for (const label of LABELS) if (typeof state[label] === 'string') labels[label] = state[label]
  return labels
}

function toolCallsOf(record: Json): readonly Json[] {
  const calls = isJsonObject(record) ? record['toolCalls'] : undefined
  return Array.isArray(calls) ? (calls as readonly Json[]) : []
}

function messageOf(message: Message): ChatMessage {
  const { id, role, content = '' } = message
  return { ...message, id: typeof id === 'string' ? id : randomBytes(8).toString('hex'), role: typeof role === 'string' ? role : 'user', content }
}
