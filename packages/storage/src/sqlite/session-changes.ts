import { RefusedError, toJsonText, type Json } from '@koco/core'
import { reconcile, type StoredSession } from '../sessions/damage.ts'
import { decide, firstEntries } from '../sessions/decide.ts'
import { describeSession, foldEntry, type FoldedSession } from '../sessions/fold.ts'
import type { ChatSession, CommandOutcome, NewSession, SessionCommand } from '../port/sessions.ts'
import { messageAt, waitingAt } from '../sessions/transcript.ts'
import type { Db } from './connection.ts'
import { SESSION_ROW, sessionLog } from './session-log.ts'

type Options = { readonly at: number; readonly expectedRevision?: number | undefined }

/** The writes of sessions, each within the caller's transaction. */
export function sessionChanges(db: Db) {
  const log = sessionLog(db)
  const find = db.prepare<[string], StoredSession>(`SELECT ${SESSION_ROW} FROM chat_sessions WHERE id = ?`)
  const setDraft = db.prepare('UPDATE chat_sessions SET draft = ? WHERE id = ?')
  const dropRow = db.prepare('DELETE FROM chat_sessions WHERE id = ?')
  const dropEntries = db.prepare('DELETE FROM session_entries WHERE session = ?')
  return {
    createSession(session: NewSession): ChatSession {
      const { id, at } = session
      if (find.get(id)) throw new RefusedError(`There is a session "${id}" already.`, { code: 'session_exists' })
      for (const [index, entry] of firstEntries(session).entries()) log.append(id, index + 1, at, entry)
      const made = describeSession(log.fold(id))
      log.store(made)
      return made
    },

    changeSession(id: string, command: SessionCommand, { at, expectedRevision }: Options): CommandOutcome {
      const row = find.get(id)
      if (!row) return { outcome: 'unknown' }
      const session = log.fold(id)
      const told = reconcile(session, row)
      const decision = decide(session, command, expectedRevision, { waiting: (of) => firstWaiting(log, of) })
      if (!('entry' in decision)) {
        // Found damage is told by the lists from now on, and holds no turn for ever.
        if (told.damaged.length > 0 && toJsonText(told) !== row.session) log.store(told)
        return decision
      }
      const revision = session.revision + 1
      log.append(id, revision, at, decision.entry)
      foldEntry(session, { revision, at, head: decision.entry.head })
      const changed = reconcile(session, row)
      log.store(changed)
      const [ref] = decision.removed ?? []
      const first = ref ? messageAt(ref, log.bodies(id, [ref.revision])) : null
      return { outcome: 'done', session: changed, removed: decision.removed?.length ?? 0, restored: decision.restored?.length ?? 0, first }
    },

    setSessionDraft: (id: string, draft: Json): boolean => setDraft.run(draft === null ? null : toJsonText(draft), id).changes > 0,

    deleteSession(id: string): boolean {
      dropEntries.run(id)
      return dropRow.run(id).changes > 0
    },
  }
}

function firstWaiting(log: ReturnType<typeof sessionLog>, session: FoldedSession) {
  const [first] = session.queue
  return first && waitingAt(first, log.bodies(session.id, [first.revision]))
}
