import type { Json } from '@koco/core'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { Page } from '../port/page.ts'
import { searchInJson, searchWords } from '../search.ts'
import type { ChatSession, Conversation, ConversationQuery, SessionHit, SessionQuery, SessionSearch } from '../port/sessions.ts'
import { reconcile, type StoredSession } from '../sessions/damage.ts'
import { parseDraft } from '../sessions/draft.ts'
import { conversationOf, findInMessages, messageAt, revisionsOf, windowOf } from '../sessions/transcript.ts'
import type { Db } from './connection.ts'
import { SESSION_ROW, sessionLog } from './session-log.ts'

/** Sessions that a search in contents looks into: the latest. */
const SEARCHED_MAX = 500

/** The reads of sessions. */
export function sessionQueries(db: Db) {
  const log = sessionLog(db)
  const find = db.prepare<[string], StoredSession>(`SELECT ${SESSION_ROW} FROM chat_sessions WHERE id = ?`)
  const draft = db.prepare<[string], string | null>('SELECT draft FROM chat_sessions WHERE id = ?').pluck()
  const held = db.prepare<[string, number], StoredSession>(`SELECT ${SESSION_ROW} FROM chat_sessions WHERE turn IS NOT NULL AND id > ? ORDER BY id LIMIT ?`)
  // One snapshot: the log, and the bodies that it names.
  const read = db.transaction((id: string, query: ConversationQuery): Conversation | undefined => {
    const row = find.get(id)
    if (!row) return undefined
    const session = log.fold(id, query.revision)
    const window = windowOf(session, query)
    const conversation = conversationOf(session, window, log.bodies(id, revisionsOf(session, window.refs)))
    return query.revision === undefined ? { ...conversation, session: reconcile(session, row) } : conversation
  })
  return {
    getSession(id: string): ChatSession | undefined {
      const row = find.get(id)
      return row && log.read(row)
    },
    readSession: (id: string, query: ConversationQuery): Conversation | undefined => read(id, query),
    listSessions: (query: SessionQuery): Page<ChatSession> => listSessions(db, query),
    searchSessions: (query: SessionSearch): SessionHit[] => searchSessions(db, query),
    draftOf(id: string): Json {
      const text = draft.get(id)
      return parseDraft(text ?? null)
    },
    heldSessions: (after: string | null, limit: number): ChatSession[] => held.all(after ?? '', clampLimit(limit)).map(log.read),
  }
}

function listSessions(db: Db, { user, archived, q, cursor, limit: asked }: SessionQuery): Page<ChatSession> {
  const limit = clampLimit(asked)
  const where = ['user = ?']
  const values: (string | number)[] = [user]
  if (archived !== undefined) {
    where.push('archived = ?')
    values.push(Number(archived))
  }
  for (const word of searchWords(q ?? '')) {
    where.push('instr(search, ?) > 0')
    values.push(word)
  }
  if (cursor !== undefined) {
    where.push('(pinned, updated_at, id) < (?, ?, ?)')
    values.push(...decodeCursor('sessions', cursor, ['number', 'number', 'string']))
  }
  const text = `SELECT ${SESSION_ROW} FROM chat_sessions WHERE ${where.join(' AND ')} ORDER BY pinned DESC, updated_at DESC, id DESC LIMIT ?`
  const rows = db.prepare<unknown[], StoredSession>(text).all(...values, limit + 1)
  return pageOf(rows.map(sessionLog(db).read), limit, (last) => encodeCursor('sessions', [Number(last.pinned), last.updatedAt, last.id]))
}

function searchSessions(db: Db, search: SessionSearch): SessionHit[] {
  const { user, q, content, depth, limit } = search
  const titles = listSessions(db, { user, q, limit }).items.map((session): SessionHit => ({ session, match: 'title', preview: session.title, messageId: null }))
  if (!content || searchWords(q).length === 0) return titles
  const hits = [...titles]
  const log = sessionLog(db)
  const row = db.prepare<[string], StoredSession>(`SELECT ${SESSION_ROW} FROM chat_sessions WHERE id = ?`)
  for (const [id, revisions] of candidates(db, user, q)) {
    if (hits.length >= limit) break
    if (titles.some(({ session }) => session.id === id)) continue
    const refs = log
      .fold(id)
      .live.slice(0, depth)
      .filter(({ revision }) => revisions.has(revision))
    const bodies = log.bodies(id, [...revisions])
    const found = findInMessages(
      refs.map((ref) => messageAt(ref, bodies)),
      q,
    )
    const raw = found && row.get(id)
    if (found && raw) hits.push({ session: log.read(raw), match: 'content', preview: found.preview, messageId: found.id })
  }
  return hits
}

/** The entries that have all words somewhere in their stored text, by session, the latest sessions first. */
function candidates(db: Db, user: string, q: string): Map<string, Set<number>> {
  db.function('koco_lower', { deterministic: true }, (text) => (typeof text === 'string' ? text.toLowerCase() : ''))
  const words = searchWords(q).map(searchInJson)
  const rows = db
    .prepare<unknown[], { id: string; revision: number }>(
      `SELECT latest.id, revision FROM (SELECT id, updated_at FROM chat_sessions WHERE user = ? ORDER BY updated_at DESC LIMIT ${SEARCHED_MAX}) AS latest
       JOIN session_entries ON session = latest.id WHERE ${words.map(() => 'instr(koco_lower(body), ?) > 0').join(' AND ')} ORDER BY latest.updated_at DESC`,
    )
    .all(user, ...words)
  const found = new Map<string, Set<number>>()
  for (const { id, revision } of rows) found.set(id, (found.get(id) ?? new Set()).add(revision))
  return found
}
