import { RefusedError, toJsonText } from '@koco/core'
import { FAMILY_MAX, packCheckpoint, unpackCheckpoint, wantedTokens, type StoredCheckpoint } from '../checkpoint-row.ts'
import type { CheckpointLock, CheckpointQuery, CheckpointRow, CheckpointStore, CheckpointTotals, CheckpointWords } from '../port/checkpoints.ts'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { Page } from '../port/page.ts'
import { searchWords } from '../search.ts'
import { Conditions } from './conditions.ts'
import type { Db } from './connection.ts'

type Raw = Omit<StoredCheckpoint, 'tokens' | 'search'>

const COLUMNS = 'id, session, username, created_at, parent, merged, bytes, added, revision, locked, about'
const SELECT = `SELECT ${COLUMNS} FROM checkpoints`
// From below upwards, then everything that hangs on what was found.
const UP = `up (id) AS (SELECT id FROM checkpoints WHERE BEGINNING UNION
  SELECT c.id FROM up JOIN checkpoints b ON b.id = up.id JOIN checkpoints c ON c.id IN (b.parent, b.merged))`
const DOWN = `down (id) AS (SELECT id FROM up UNION SELECT c.id FROM down JOIN checkpoints c ON c.parent = down.id
  UNION SELECT c.id FROM down JOIN checkpoints c ON c.merged = down.id)`

/** The reads of the index of checkpoints. */
export function checkpointQueries(db: Db) {
  const get = db.prepare<[string], Raw>(`${SELECT} WHERE id = ?`)
  const ancestors = db.prepare<[string], Raw>(`WITH RECURSIVE ${UP.replace('BEGINNING', 'id = ?')} ${SELECT} WHERE id IN up ORDER BY created_at, id`)
  const family = db.prepare<[string], Raw>(
    `WITH RECURSIVE ${UP.replace('BEGINNING', 'session = ?')}, ${DOWN} ${SELECT} WHERE id IN down ORDER BY created_at, id LIMIT ${FAMILY_MAX}`,
  )
  const totals = db.prepare<[string | null, string | null], CheckpointTotals>(
    'SELECT count(*) AS count, coalesce(sum(bytes), 0) AS bytes, coalesce(sum(added), 0) AS stored FROM checkpoints WHERE ? IS NULL OR username = ?',
  )
  return {
    getCheckpoint(id: string): CheckpointRow | undefined {
      const raw = get.get(id)
      return raw && unpackCheckpoint(raw)
    },
    listCheckpoints: (query: CheckpointQuery): Page<CheckpointRow> => list(db, query),
    checkpointAncestors: (id: string): CheckpointRow[] => ancestors.all(id).map(unpackCheckpoint),
    checkpointFamily: (session: string): CheckpointRow[] => family.all(session).map(unpackCheckpoint),
    checkpointTotals: (user: string | null): CheckpointTotals | undefined => totals.get(user, user),
  }
}

/** The writes of the index of checkpoints. */
export function checkpointChanges(db: Db) {
  const get = db.prepare<[string], Raw>(`${SELECT} WHERE id = ?`)
  const insert = db.prepare<StoredCheckpoint>(
    `INSERT INTO checkpoints (${COLUMNS}, tokens, search) VALUES (:id, :session, :username, :created_at,
      (SELECT id FROM checkpoints WHERE id = :parent), (SELECT id FROM checkpoints WHERE id = :merged),
      :bytes, :added, :revision, :locked, :about, :tokens, :search) ON CONFLICT DO NOTHING`,
  )
  const rewrite = db.prepare<StoredCheckpoint>(
    'UPDATE checkpoints SET revision = :revision, about = :about, tokens = :tokens, search = :search WHERE id = :id AND revision = :revision - 1',
  )
  const setLock = db.prepare('UPDATE checkpoints SET locked = ? WHERE id = ?')
  const adopt = db.prepare('UPDATE checkpoints SET parent = ? WHERE parent = ?')
  const adoptMerged = db.prepare('UPDATE checkpoints SET merged = ? WHERE merged = ?')
  const drop = db.prepare('DELETE FROM checkpoints WHERE id = ?')
  return {
    insertCheckpoint(row: CheckpointRow): void {
      const { changes } = insert.run(packCheckpoint(row))
      if (changes === 0) throw new RefusedError(`There is a checkpoint "${row.id}" already.`, { code: 'checkpoint_exists' })
    },
    describeCheckpoint(id: string, revision: number, words: CheckpointWords & { readonly manifest: string }): boolean {
      const raw = get.get(id)
      return raw !== undefined && rewrite.run(packCheckpoint({ ...unpackCheckpoint(raw), ...words, revision })).changes > 0
    },
    lockCheckpoint: (id: string, lock: CheckpointLock | null): boolean => setLock.run(lock === null ? null : toJsonText(lock), id).changes > 0,
    deleteCheckpoint(id: string): Awaited<ReturnType<CheckpointStore['delete']>> {
      const raw = get.get(id)
      if (!raw) return 'unknown'
      if (raw.locked !== null) return 'locked'
      adopt.run(raw.parent, id)
      adoptMerged.run(raw.parent, id)
      drop.run(id)
      return 'deleted'
    },
  }
}

function list(db: Db, query: CheckpointQuery): Page<CheckpointRow> {
  const limit = clampLimit(query.limit)
  const where = new Conditions()
  if (query.session !== undefined) where.add('session = ?', query.session)
  if (query.user !== undefined) where.add('username = ?', query.user)
  if (query.from !== undefined) where.add('created_at >= ?', query.from)
  if (query.to !== undefined) where.add('created_at < ?', query.to)
  for (const token of wantedTokens(query)) where.add('instr(tokens, ?) > 0', token)
  for (const word of searchWords(query.q ?? '')) where.add('instr(search, ?) > 0', word)
  if (query.cursor !== undefined) where.add('(created_at, id) < (?, ?)', ...decodeCursor('checkpoints', query.cursor, ['number', 'string']))
  const rows = db.prepare<unknown[], Raw>(`${SELECT} ${where.sql} ORDER BY created_at DESC, id DESC LIMIT ?`).all(...where.values, limit + 1)
  return pageOf(rows.map(unpackCheckpoint), limit, ({ createdAt, id }) => encodeCursor('checkpoints', [createdAt, id]))
}
