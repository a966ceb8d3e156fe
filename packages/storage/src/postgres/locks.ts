import { toJsonText } from '@koco/core'
import { sql } from 'kysely'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { LockAnswer, LockStore } from '../port/locks.ts'
import { toAnswer, toLock } from './lock-row.ts'
import type { ExecutionDatabase } from './schema.ts'

type LockQuery = Parameters<LockStore['list']>[0]

/** The questions of runs and people's answers. RefusedError `bad_cursor`. */
export function createLockTable(db: ExecutionDatabase): LockStore {
  return {
    async get(fid, lid) {
      const row = await db.selectFrom('locks').selectAll().where('fid', '=', fid).where('lid', '=', lid).executeTakeFirst()
      return row && toLock(row)
    },
    list: (query) => list(db, query),
    answer: (fid, answer) => accept(db, fid, answer),
    async answers(fid) {
      const rows = await db.selectFrom('lock_answers').selectAll().where('fid', '=', fid).orderBy('answered_at').orderBy('lid').execute()
      return rows.map(toAnswer)
    },
  }
}

async function list(db: ExecutionDatabase, query: LockQuery): ReturnType<LockStore['list']> {
  const limit = clampLimit(query.limit)
  let locks = db.selectFrom('locks').innerJoin('runs', 'runs.fid', 'locks.fid').selectAll('locks').select(['flow', 'username', 'summary'])
  if (query.fid !== undefined) locks = locks.where('locks.fid', '=', query.fid)
  if (query.user !== undefined) locks = locks.where('username', '=', query.user)
  if (query.concerns !== undefined) {
    const { user, role } = query.concerns
    locks = locks.where(sql<boolean>`(username = ${user} or locks.assignees ? ${user} or locks.roles ? ${role})`)
  }
  if (query.status !== undefined) locks = locks.where('locks.status', '=', query.status)
  if (query.cursor !== undefined) {
    const [askedAt, fid, lid] = decodeCursor('locks', query.cursor, ['number', 'string', 'string'])
    locks = locks.where(sql<boolean>`(locks.asked_at, locks.fid, locks.lid) < (${askedAt}, ${fid}, ${lid})`)
  }
  const ordered = locks.orderBy('locks.asked_at', 'desc').orderBy('locks.fid', 'desc').orderBy('locks.lid', 'desc')
  const rows = await ordered.limit(limit + 1).execute()
  const items = rows.map((row) => ({ ...toLock(row), flow: row.flow, user: row.username, summary: row.summary }))
  return pageOf(items, limit, ({ askedAt, fid, lid }) => encodeCursor('locks', [askedAt, fid, lid]))
}

/** Under the lock's row, so that an answer and the end of its run, or a second answer, take turns. */
async function accept(db: ExecutionDatabase, fid: string, { lid, answer, by, at, reason }: LockAnswer): ReturnType<LockStore['answer']> {
  return await db.transaction().execute(async (transaction) => {
    const row = await transaction.selectFrom('locks').selectAll().where('fid', '=', fid).where('lid', '=', lid).forUpdate().executeTakeFirst()
    if (!row) return { outcome: 'unknown' }
    const earlier = await transaction.selectFrom('lock_answers').select('answered_by').where('fid', '=', fid).where('lid', '=', lid).executeTakeFirst()
    if (earlier) return { outcome: 'answered', by: earlier.answered_by }
    if (row.status === 'answered') return { outcome: 'answered', by: row.answered_by ?? '' }
    if (row.status !== 'open') return { outcome: row.status }
    if (row.expires_at !== null && at >= row.expires_at) return { outcome: 'expired' }
    await transaction
      .insertInto('lock_answers')
      .values({ fid, lid, answer: toJsonText(answer), answered_by: by, answered_at: at, reason: reason ?? null })
      .execute()
    return { outcome: 'accepted' }
  })
}
