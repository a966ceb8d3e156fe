import { clampLimit } from '../cursor.ts'
import type { SessionCopy } from '../port/keeper.ts'
import type { StoredSession } from '../sessions/damage.ts'
import type { EntryRow } from '../sessions/entry.ts'
import type { ChatSession } from '../port/sessions.ts'
import type { Db } from './connection.ts'
import { SESSION_ROW, sessionLog } from './session-log.ts'

/** Reads conversations whole, each in one piece. */
export function sessionCopies(db: Db): (after: string | null, limit: number) => SessionCopy[] {
  const log = sessionLog(db)
  const rows = db.prepare<[string, number], StoredSession & { readonly draft: string | null }>(
    `SELECT ${SESSION_ROW}, draft FROM chat_sessions WHERE id > ? ORDER BY id LIMIT ?`,
  )
  const entries = db.prepare<[string], EntryRow>('SELECT revision, at, head, head_sum, body, body_sum FROM session_entries WHERE session = ? ORDER BY revision')
  return db.transaction((after: string | null, limit: number): SessionCopy[] =>
    rows.all(after ?? '', clampLimit(limit)).map((row) => ({ session: log.read(row), draft: row.draft, entries: entries.all(row.id) })),
  )
}

/** Writes conversations as they were copied, over what is known of them. */
export function sessionReplacer(db: Db): (copies: readonly SessionCopy[]) => void {
  const log = sessionLog(db)
  const clear = db.prepare('DELETE FROM session_entries WHERE session = ?')
  const add = db.prepare('INSERT INTO session_entries (session, revision, at, head, head_sum, body, body_sum) VALUES (?, ?, ?, ?, ?, ?, ?)')
  const setDraft = db.prepare('UPDATE chat_sessions SET draft = ? WHERE id = ?')
  const put = (session: ChatSession, { entries, draft }: SessionCopy): void => {
    clear.run(session.id)
    for (const { revision, at, head, head_sum, body, body_sum } of entries) add.run(session.id, revision, at, head, head_sum, body, body_sum)
    log.store(session)
    setDraft.run(draft, session.id)
  }
  return (copies) => {
    for (const copy of copies) put(copy.session, copy)
  }
}
