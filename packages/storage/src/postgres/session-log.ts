import { crc32 } from 'node:zlib'
import { toJsonText } from '@koco/core'
import { reconcile, remembered, type StoredSession } from '../sessions/damage.ts'
import { packEntry, unpackHead, type NewEntry } from '../sessions/entry.ts'
import { foldSession, heldBy, type FoldedSession } from '../sessions/fold.ts'
import type { ChatSession } from '../port/sessions.ts'
import { bodiesOf, type Bodies } from '../sessions/transcript.ts'
import type { ExecutionDatabase, SessionTable } from './schema.ts'

/** The columns of a session's row that tell it. */
export const SESSION_ROW = ['chat_sessions.id', 'chat_sessions.username as owner', 'chat_sessions.session', 'chat_sessions.sum'] as const

/** The log of a session up to a revision, folded. */
export async function foldLog(db: ExecutionDatabase, id: string, revision?: number): Promise<FoldedSession> {
  const entries = db.selectFrom('session_entries').select(['revision', 'at', 'head', 'head_sum']).where('session', '=', id)
  const rows = await (revision === undefined ? entries : entries.where('revision', '<=', revision)).orderBy('revision').execute()
  return foldSession(id, rows.map(unpackHead))
}

/** The bodies of some entries. */
export async function readBodies(db: ExecutionDatabase, id: string, revisions: readonly number[]): Promise<Bodies> {
  if (revisions.length === 0) return new Map()
  const rows = db.selectFrom('session_entries').select(['revision', 'body', 'body_sum']).where('session', '=', id)
  return bodiesOf(await rows.where('revision', 'in', [...revisions]).execute())
}

/** Adds an entry. */
export async function appendEntry(
  db: ExecutionDatabase,
  place: { readonly id: string; readonly revision: number; readonly at: number },
  entry: NewEntry,
): Promise<void> {
  const row = packEntry(place.revision, place.at, entry)
  await db
    .insertInto('session_entries')
    .values({ session: place.id, ...row })
    .execute()
}

/** The row that follows from a session's log. */
export function rowOf(session: ChatSession): Omit<SessionTable, 'draft'> {
  const { id, user: username, title, pinned, archived, updatedAt } = session
  const text = toJsonText(session)
  const search = title.toLowerCase().replaceAll('\0', '').toWellFormed()
  return { id, username, search, pinned, archived, updated_at: updatedAt, turn: heldBy(session), session: text, sum: crc32(text) }
}

/** The session of a row; of its log when the row is damaged. */
export async function readRow(db: ExecutionDatabase, row: StoredSession): Promise<ChatSession> {
  return remembered(row) ?? reconcile(await foldLog(db, row.id), row)
}
