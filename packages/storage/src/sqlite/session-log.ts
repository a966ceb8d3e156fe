import { crc32 } from 'node:zlib'
import { toJsonText } from '@koco/core'
import { reconcile, remembered, type StoredSession } from '../sessions/damage.ts'
import { packEntry, unpackHead, type EntryRow, type HeadRow, type NewEntry } from '../sessions/entry.ts'
import { foldSession, heldBy, type FoldedSession } from '../sessions/fold.ts'
import type { ChatSession } from '../port/sessions.ts'
import { bodiesOf, type Bodies } from '../sessions/transcript.ts'
import type { Db } from './connection.ts'

/** The columns of a session's row that tell it. */
export const SESSION_ROW = 'id, user AS owner, session, sum'

/** What reads and writes of sessions share: the log of one, and its row. */
export function sessionLog(db: Db) {
  const heads = db.prepare<[string, number], HeadRow>(
    'SELECT revision, at, head, head_sum FROM session_entries WHERE session = ? AND revision <= ? ORDER BY revision',
  )
  const bodies = db.prepare<[string, string], Pick<EntryRow, 'revision' | 'body' | 'body_sum'>>(
    'SELECT revision, body, body_sum FROM session_entries WHERE session = ? AND revision IN (SELECT value FROM json_each(?))',
  )
  const add = db.prepare('INSERT INTO session_entries (session, revision, at, head, head_sum, body, body_sum) VALUES (?, ?, ?, ?, ?, ?, ?)')
  const setRow = db.prepare(
    `INSERT INTO chat_sessions (id, user, search, pinned, archived, updated_at, turn, session, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET search = excluded.search, pinned = excluded.pinned, archived = excluded.archived, updated_at = excluded.updated_at,
       turn = excluded.turn, session = excluded.session, sum = excluded.sum`,
  )
  const fold = (id: string, revision = Number.MAX_SAFE_INTEGER): FoldedSession => foldSession(id, heads.all(id, revision).map(unpackHead))
  return {
    fold,
    bodies: (id: string, revisions: readonly number[]): Bodies => bodiesOf(bodies.all(id, JSON.stringify(revisions))),
    append(id: string, revision: number, at: number, entry: NewEntry): void {
      const row = packEntry(revision, at, entry)
      add.run(id, row.revision, row.at, row.head, row.head_sum, row.body, row.body_sum)
    },
    store(session: ChatSession): void {
      const { id, user, title, pinned, archived, updatedAt } = session
      const text = toJsonText(session)
      setRow.run(id, user, title.toLowerCase().toWellFormed(), Number(pinned), Number(archived), updatedAt, heldBy(session), text, crc32(text))
    },
    /** The session of a row; of its log when the row is damaged. */
    read: (row: StoredSession): ChatSession => remembered(row) ?? reconcile(fold(row.id), row),
  }
}
