import type { ActiveTurn, ChatSession, ModelUse, SessionLabels } from '../port/sessions.ts'
import type { EntryHead, ReadEntry, Said } from './entry.ts'

/** Where a message lies: the `index`th of the entry `revision`. */
export type MessageRef = { readonly id: string; readonly role: string; readonly revision: number; readonly index: number }

/** Where a steer or a waiting message lies; `steer`: one that its turn did not come to. */
export type WaitingRef = { readonly id: string; readonly revision: number; readonly steer: boolean }

/** A session as its log tells it, the messages by reference. */
export type FoldedSession = {
  id: string
  user: string
  parent: string | null
  labels: SessionLabels
  createdAt: number
  updatedAt: number
  revision: number
  live: MessageRef[]
  /** What undos hid, the last one last. */
  undone: (readonly MessageRef[])[]
  turn: ActiveTurn | null
  lastJob: ChatSession['lastJob']
  /** All turns that ever ended. */
  ended: Set<string>
  steers: readonly WaitingRef[]
  queue: readonly WaitingRef[]
  uses: ModelUse[]
  /** Every id that a message ever had. */
  ids: Set<string>
  damaged: number[]
}

/** The labels of a session that nobody has said anything of. */
export const NO_LABELS: SessionLabels = {
  title: 'Untitled',
  model: null,
  workspace: null,
  personality: null,
  project: null,
  flow: null,
  pinned: false,
  archived: false,
}

/** Folds a session's log. Entries that are damaged are noted and passed over. */
export function foldSession(id: string, entries: readonly ReadEntry[]): FoldedSession {
  const session: FoldedSession = {
    id,
    user: '',
    parent: null,
    labels: NO_LABELS,
    createdAt: entries[0]?.at ?? 0,
    updatedAt: entries[0]?.at ?? 0,
    revision: 0,
    live: [],
    undone: [],
    turn: null,
    lastJob: null,
    ended: new Set(),
    steers: [],
    queue: [],
    uses: [],
    ids: new Set(),
    damaged: [],
  }
  for (const entry of entries) foldEntry(session, entry)
  return session
}

/** Revisions that are noted one by one; a log that lost more is told by its first ones. */
const MISSING_MAX = 1_000

/** Notes that the log should go up to `revision` and what it lacks up to there. */
export function noteMissing(session: FoldedSession, revision: number): void {
  for (let missing = session.revision + 1; missing <= revision && session.damaged.length < MISSING_MAX; missing += 1) session.damaged.push(missing)
  session.revision = Math.max(session.revision, revision)
}

/** Folds one more entry into a session. */
export function foldEntry(session: FoldedSession, { revision, at, head }: ReadEntry): void {
  noteMissing(session, revision - 1)
  session.revision = revision
  if (head === null) {
    session.damaged.push(revision)
    return
  }
  if (!isOnlyArchived(head)) session.updatedAt = at
  apply(session, head, revision, at)
}

/** A session as lists show it. */
export function describeSession(session: FoldedSession): ChatSession {
  const { id, user, parent, labels, createdAt, updatedAt, revision, turn, lastJob, damaged } = session
  const counts = { messageCount: session.live.length, undone: session.undone.length, queued: session.queue.length }
  return { ...labels, id, user, parent, createdAt, updatedAt, revision, turn, lastJob, damaged: [...damaged], ...counts }
}

/** What the column of held sessions says: the run, nothing but a mark while something waits, null for a session at rest. */
export function heldBy({ turn, queued }: ChatSession): string | null {
  return turn?.fid ?? (queued > 0 ? '' : null)
}

function apply(session: FoldedSession, head: EntryHead, revision: number, at: number): void {
  switch (head.kind) {
    case 'created':
      Object.assign(session, { user: head.user, parent: head.parent, labels: head.labels, createdAt: at })
      session.uses.push(...head.uses)
      return say(session, head, revision)
    case 'appended':
      return say(session, head, revision)
    case 'truncated':
      session.undone.push(session.live.splice(head.keep))
      return
    case 'redone':
      for (const ref of session.undone.pop() ?? []) session.live.push(ref)
      return
    case 'labelled':
      session.labels = { ...session.labels, ...head.labels }
      return
    case 'used':
      session.uses.push(...head.uses)
      return
    case 'steered':
      session.steers = [...session.steers, { id: head.id, revision, steer: true }]
      return
    case 'queued':
      session.queue = [...session.queue, { id: head.id, revision, steer: false }]
      return
    case 'unqueued':
      session.queue = session.queue.filter(({ id }) => id !== head.id)
      return
    default:
      applyTurn(session, head, revision, at)
  }
}

type TurnHead = Extract<EntryHead, { kind: 'turn-started' | 'turn-ended' | 'turn-abandoned' }>

function applyTurn(session: FoldedSession, head: TurnHead, revision: number, at: number): void {
  if (head.kind === 'turn-started') {
    session.turn = { fid: head.fid, kind: head.turn, startedAt: at, revision }
    session.labels = { ...session.labels, ...head.labels }
    session.queue = session.queue.filter(({ id }) => id !== head.queued)
    return say(session, head, revision)
  }
  const began = session.turn?.revision
  if (session.turn?.kind === 'compress') session.lastJob = { fid: head.fid, end: head.kind === 'turn-ended' ? head.end : 'lost' }
  session.turn = null
  session.ended.add(head.fid)
  const { steers } = session
  session.steers = []
  if (head.kind === 'turn-abandoned') {
    session.live = session.live.filter((ref) => ref.revision !== began)
    return
  }
  session.uses.push(...head.uses)
  session.queue = [...steers.filter(({ id }) => !head.heard.includes(id)), ...session.queue]
  if (head.replace > 0) session.live = session.live.slice(head.replace)
  const rest = session.live
  if (head.replace > 0) session.live = []
  say(session, head, revision)
  if (head.replace > 0) session.live = [...session.live, ...rest]
}

/** What is new ends what could be redone. */
function say(session: FoldedSession, { ids, roles }: Said, revision: number): void {
  if (ids.length === 0) return
  session.undone = []
  // In place: a log of thousands of entries is folded at every command.
  for (const [index, id] of ids.entries()) {
    session.live.push({ id, role: roles[index] ?? '', revision, index })
    session.ids.add(id)
  }
}

function isOnlyArchived(head: EntryHead): boolean {
  return head.kind === 'labelled' && Object.keys(head.labels).every((label) => label === 'archived')
}
