import { RefusedError, toJsonText } from '@koco/core'
import { clampLimit } from '../cursor.ts'
import { reconcile } from '../sessions/damage.ts'
import { decide, firstEntries } from '../sessions/decide.ts'
import { parseDraft } from '../sessions/draft.ts'
import { describeSession, foldEntry, foldSession } from '../sessions/fold.ts'
import type { ChatSession, CommandOutcome, NewSession, SessionCommand, SessionStore } from '../port/sessions.ts'
import { conversationOf, messageAt, revisionsOf, waitingAt, windowOf } from '../sessions/transcript.ts'
import type { ExecutionDatabase } from './schema.ts'
import { appendEntry, foldLog, readBodies, readRow, rowOf, SESSION_ROW } from './session-log.ts'
import { listSessions, searchSessions } from './session-search.ts'

/** The conversations. RefusedError `session_exists`, `bad_cursor`. */
export function createSessionTable(db: ExecutionDatabase): SessionStore {
  return {
    create: (session) => create(db, session),
    async get(id) {
      const row = await db.selectFrom('chat_sessions').select(SESSION_ROW).where('id', '=', id).executeTakeFirst()
      return row && (await readRow(db, row))
    },
    read: (id, query = {}) =>
      db
        .transaction()
        .setIsolationLevel('repeatable read')
        .execute(async (snapshot) => {
          const row = await snapshot.selectFrom('chat_sessions').select(SESSION_ROW).where('id', '=', id).executeTakeFirst()
          if (!row) return undefined
          const session = await foldLog(snapshot, id, query.revision)
          const window = windowOf(session, query)
          const conversation = conversationOf(session, window, await readBodies(snapshot, id, revisionsOf(session, window.refs)))
          return query.revision === undefined ? { ...conversation, session: reconcile(session, row) } : conversation
        }),
    list: (query) => listSessions(db, query),
    search: (query) => searchSessions(db, query),
    change: (id, command, options) => change(db, id, command, options),
    async setDraft(id, draft) {
      const text = draft === null ? null : toJsonText(draft)
      const { numUpdatedRows } = await db.updateTable('chat_sessions').set({ draft: text }).where('id', '=', id).executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async draft(id) {
      const row = await db.selectFrom('chat_sessions').select('draft').where('id', '=', id).executeTakeFirst()
      return parseDraft(row?.draft ?? null)
    },
    async held(after, limit) {
      const rows = db
        .selectFrom('chat_sessions')
        .select(SESSION_ROW)
        .where('turn', 'is not', null)
        .where('id', '>', after ?? '')
      return await Promise.all((await rows.orderBy('id').limit(clampLimit(limit)).execute()).map((row) => readRow(db, row)))
    },
    delete: (id) =>
      db.transaction().execute(async (transaction) => {
        const { numDeletedRows } = await transaction.deleteFrom('chat_sessions').where('id', '=', id).executeTakeFirst()
        await transaction.deleteFrom('session_entries').where('session', '=', id).execute()
        return numDeletedRows > 0n
      }),
  }
}

async function create(db: ExecutionDatabase, session: NewSession): Promise<ChatSession> {
  const { id, at } = session
  const entries = firstEntries(session)
  const heads = entries.map(({ head }, index) => ({ revision: index + 1, at, head }))
  const made = describeSession(foldSession(id, heads))
  return await db.transaction().execute(async (transaction) => {
    const { numInsertedOrUpdatedRows } = await transaction
      .insertInto('chat_sessions')
      .values({ ...rowOf(made), draft: null })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows !== 1n) throw new RefusedError(`There is a session "${id}" already.`, { code: 'session_exists' })
    for (const [index, entry] of entries.entries()) await appendEntry(transaction, { id, revision: index + 1, at }, entry)
    return made
  })
}

/** Under the session's row, so that commands take turns. */
async function change(
  db: ExecutionDatabase,
  id: string,
  command: SessionCommand,
  { at, expectedRevision }: Parameters<SessionStore['change']>[2],
): Promise<CommandOutcome> {
  return await db.transaction().execute(async (transaction): Promise<CommandOutcome> => {
    const row = await transaction.selectFrom('chat_sessions').select(SESSION_ROW).where('id', '=', id).forUpdate().executeTakeFirst()
    if (!row) return { outcome: 'unknown' }
    const session = await foldLog(transaction, id)
    const told = reconcile(session, row)
    const [next] = session.queue
    const waiting = next && waitingAt(next, await readBodies(transaction, id, [next.revision]))
    const decision = decide(session, command, expectedRevision, { waiting: () => waiting })
    const store = async (as: ChatSession): Promise<void> => {
      await transaction.updateTable('chat_sessions').set(rowOf(as)).where('id', '=', id).execute()
    }
    if (!('entry' in decision)) {
      // Found damage is told by the lists from now on, and holds no turn for ever.
      if (told.damaged.length > 0 && toJsonText(told) !== row.session) await store(told)
      return decision
    }
    const revision = session.revision + 1
    await appendEntry(transaction, { id, revision, at }, decision.entry)
    foldEntry(session, { revision, at, head: decision.entry.head })
    const changed = reconcile(session, row)
    await store(changed)
    const [ref] = decision.removed ?? []
    const first = ref ? messageAt(ref, await readBodies(transaction, id, [ref.revision])) : null
    return { outcome: 'done', session: changed, removed: decision.removed?.length ?? 0, restored: decision.restored?.length ?? 0, first }
  })
}
