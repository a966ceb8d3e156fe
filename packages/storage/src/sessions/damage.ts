import { crc32 } from 'node:zlib'
import { parseJson } from '@koco/core'
import { describeSession, noteMissing, type FoldedSession } from './fold.ts'
import type { ChatSession } from '../port/sessions.ts'

/** A session's row as both stores keep it: `session` follows from the log, with its sum; `owner` is the user. */
export type StoredSession = { readonly id: string; readonly owner: string; readonly session: string; readonly sum: number }

/** What a row says; null when it is not what was written. */
export function remembered({ session, sum }: StoredSession): ChatSession | null {
  return crc32(session) === sum ? (parseJson(session) as unknown as ChatSession) : null
}

/**
 * A session as its log and its row tell it together. Entries that the row knows of and the log has no more are noted as damaged. What a damaged log cannot tell any more (whose session it is, its title) the row remembers; a turn
 * is at work only if both say so: else nobody could ever end it.
 */
export function reconcile(folded: FoldedSession, row: StoredSession): ChatSession {
  const known = remembered(row)
  if (known) noteMissing(folded, known.revision)
  const told = describeSession(folded)
  if (told.damaged.length === 0) return told
  if (!known) return { ...told, user: row.owner }
  const { revision, messageCount, undone, queued, damaged, turn } = told
  return { ...known, revision, messageCount, undone, queued, damaged, turn: turn && known.turn?.fid === turn.fid ? turn : null }
}
