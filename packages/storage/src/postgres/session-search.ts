import { sql } from 'kysely'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { Page } from '../port/page.ts'
import { searchInJson, searchWords } from '../search.ts'
import type { ChatSession, SessionHit, SessionQuery, SessionSearch } from '../port/sessions.ts'
import { findInMessages, messageAt } from '../sessions/transcript.ts'
import type { ExecutionDatabase } from './schema.ts'
import { foldLog, readBodies, readRow, SESSION_ROW } from './session-log.ts'

/** Sessions that a search in contents looks into: the latest. */
const SEARCHED_MAX = 500

/** A page of sessions, pinned ones first, then the latest. Throws RefusedError `bad_cursor`. */
export async function listSessions(db: ExecutionDatabase, { user, archived, q, cursor, limit: asked }: SessionQuery): Promise<Page<ChatSession>> {
  const limit = clampLimit(asked)
  let sessions = db.selectFrom('chat_sessions').select(SESSION_ROW).where('username', '=', user)
  if (archived !== undefined) sessions = sessions.where('archived', '=', archived)
  for (const word of searchWords(q ?? '')) sessions = sessions.where(sql<boolean>`position(${word} in search) > 0`)
  if (cursor !== undefined) {
    const [pinned, updatedAt, id] = decodeCursor('sessions', cursor, ['number', 'number', 'string'])
    sessions = sessions.where(sql<boolean>`(pinned, updated_at, id) < (${pinned === 1}, ${updatedAt}::double precision, ${id})`)
  }
  const rows = await sessions
    .orderBy('pinned', 'desc')
    .orderBy('updated_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  const items = await Promise.all(rows.map((row) => readRow(db, row)))
  return pageOf(items, limit, (last) => encodeCursor('sessions', [Number(last.pinned), last.updatedAt, last.id]))
}

/** Hits in titles, then in messages. */
export async function searchSessions(db: ExecutionDatabase, search: SessionSearch): Promise<SessionHit[]> {
  const { user, q, content, depth, limit } = search
  const named = await listSessions(db, { user, q, limit })
  const titles = named.items.map((session): SessionHit => ({ session, match: 'title', preview: session.title, messageId: null }))
  if (!content || searchWords(q).length === 0) return titles
  const hits = [...titles]
  for (const [id, revisions] of await candidates(db, user, q)) {
    if (hits.length >= limit) break
    if (titles.some(({ session }) => session.id === id)) continue
    const { live } = await foldLog(db, id)
    const refs = live.slice(0, depth).filter(({ revision }) => revisions.has(revision))
    const bodies = await readBodies(db, id, [...revisions])
    const found = findInMessages(
      refs.map((ref) => messageAt(ref, bodies)),
      q,
    )
    const row = found && (await db.selectFrom('chat_sessions').select(SESSION_ROW).where('id', '=', id).executeTakeFirst())
    if (found && row) hits.push({ session: await readRow(db, row), match: 'content', preview: found.preview, messageId: found.id })
  }
  return hits
}

/** The entries that may have all words somewhere in their stored text, by session, the latest sessions first. How a server lowers letters beyond ASCII depends on its collation, so those are left to be judged here. */
async function candidates(db: ExecutionDatabase, user: string, q: string): Promise<Map<string, Set<number>>> {
  const latest = db.selectFrom('chat_sessions').select(['id', 'updated_at']).where('username', '=', user).orderBy('updated_at', 'desc').limit(SEARCHED_MAX)
  let entries = db.selectFrom(latest.as('latest')).innerJoin('session_entries', 'session', 'latest.id').select(['latest.id', 'revision'])
  for (const word of searchWords(q).filter(isAscii).map(searchInJson)) entries = entries.where(sql<boolean>`position(${word} in lower(body)) > 0`)
  const found = new Map<string, Set<number>>()
  for (const { id, revision } of await entries.orderBy('latest.updated_at', 'desc').execute()) found.set(id, (found.get(id) ?? new Set()).add(revision))
  return found
}

function isAscii(word: string): boolean {
  return /^[\x20-\x7e]*$/.test(word)
}
