import { RefusedError, toJsonText } from '@koco/core'
import { sql, type RawBuilder } from 'kysely'
import { FAMILY_MAX, packCheckpoint, unpackCheckpoint, wantedTokens, type StoredCheckpoint } from '../checkpoint-row.ts'
import type { CheckpointQuery, CheckpointRow, CheckpointStore } from '../port/checkpoints.ts'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { Page } from '../port/page.ts'
import { searchWords } from '../search.ts'
import { checkpointTasks } from './checkpoint-tasks.ts'
import type { ExecutionDatabase } from './schema.ts'

type Raw = Omit<StoredCheckpoint, 'tokens' | 'search'>

const COLUMNS = ['id', 'session', 'username', 'created_at', 'parent', 'merged', 'bytes', 'added', 'revision', 'locked', 'about'] as const

/** The index of checkpoints. RefusedError `checkpoint_exists`, `bad_cursor`. */
export function createCheckpointTable(db: ExecutionDatabase): CheckpointStore {
  return {
    async insert(row) {
      const packed = packCheckpoint(row)
      const known = (id: string | null) => sql<string | null>`(select id from checkpoints where id = ${id})`
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('checkpoints')
        .values({ ...packed, parent: known(packed.parent), merged: known(packed.merged) })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      if (numInsertedOrUpdatedRows !== 1n) throw new RefusedError(`There is a checkpoint "${row.id}" already.`, { code: 'checkpoint_exists' })
    },
    async get(id) {
      const raw = await db.selectFrom('checkpoints').select(COLUMNS).where('id', '=', id).executeTakeFirst()
      return raw && unpackCheckpoint(raw)
    },
    async describe(id, revision, words) {
      const raw = await db.selectFrom('checkpoints').select(COLUMNS).where('id', '=', id).executeTakeFirst()
      if (!raw) return false
      const { about, tokens, search } = packCheckpoint({ ...unpackCheckpoint(raw), ...words, revision })
      const change = db.updateTable('checkpoints').set({ revision, about, tokens, search })
      const { numUpdatedRows } = await change
        .where('id', '=', id)
        .where('revision', '=', revision - 1)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async setLock(id, lock) {
      const locked = lock === null ? null : toJsonText(lock)
      const { numUpdatedRows } = await db.updateTable('checkpoints').set({ locked }).where('id', '=', id).executeTakeFirst()
      return numUpdatedRows > 0n
    },
    ...checkpointTasks(db),
    delete: (id) => remove(db, id),
    list: (query) => list(db, query),
    ancestors: (id) => related(db, sql`id = ${id}`, sql``, 'up'),
    family: (session) => related(db, sql`session = ${session}`, DOWN, 'down'),
    async totals(user) {
      let rows = db
        .selectFrom('checkpoints')
        .select(({ fn }) => [
          fn.countAll<number>().as('count'),
          sql<string>`coalesce(sum(bytes), 0)`.as('bytes'),
          sql<string>`coalesce(sum(added), 0)`.as('stored'),
        ])
      if (user !== undefined) rows = rows.where('username', '=', user)
      const { count, bytes, stored } = await rows.executeTakeFirstOrThrow()
      return { count, bytes: Number(bytes), stored: Number(stored) }
    },
  }
}

const DOWN = sql`, down (id) as (select id from up union
  select c.id from down join checkpoints c on c.parent = down.id or c.merged = down.id)`

/** From the beginning upwards, then (with DOWN) everything that hangs on what was found. */
async function related(db: ExecutionDatabase, beginning: RawBuilder<unknown>, down: RawBuilder<unknown>, from: 'up' | 'down'): Promise<CheckpointRow[]> {
  const { rows } = await sql<Raw>`with recursive up (id) as (select id from checkpoints where ${beginning} union
    select c.id from up join checkpoints b on b.id = up.id join checkpoints c on c.id in (b.parent, b.merged))${down}
    select ${sql.join(COLUMNS.map((column) => sql.ref(column)))} from checkpoints where id in (select id from ${sql.ref(from)}) order by created_at, id limit ${FAMILY_MAX}`.execute(
    db,
  )
  return rows.map(unpackCheckpoint)
}

async function remove(db: ExecutionDatabase, id: string): Promise<'deleted' | 'locked' | 'unknown'> {
  return await db.transaction().execute(async (transaction) => {
    const raw = await transaction.selectFrom('checkpoints').select(['parent', 'locked']).where('id', '=', id).forUpdate().executeTakeFirst()
    if (!raw) return 'unknown'
    if (raw.locked !== null) return 'locked'
    await transaction.updateTable('checkpoints').set({ parent: raw.parent }).where('parent', '=', id).execute()
    await transaction.updateTable('checkpoints').set({ merged: raw.parent }).where('merged', '=', id).execute()
    await transaction.deleteFrom('checkpoints').where('id', '=', id).execute()
    return 'deleted'
  })
}

async function list(db: ExecutionDatabase, query: CheckpointQuery): Promise<Page<CheckpointRow>> {
  const limit = clampLimit(query.limit)
  let rows = db.selectFrom('checkpoints').select(COLUMNS)
  if (query.session !== undefined) rows = rows.where('session', '=', query.session)
  if (query.user !== undefined) rows = rows.where('username', '=', query.user)
  if (query.from !== undefined) rows = rows.where('created_at', '>=', query.from)
  if (query.to !== undefined) rows = rows.where('created_at', '<', query.to)
  for (const token of wantedTokens(query)) rows = rows.where(sql<boolean>`position(${token} in tokens) > 0`)
  for (const word of searchWords(query.q ?? '')) rows = rows.where(sql<boolean>`position(${word} in search) > 0`)
  if (query.cursor !== undefined) {
    const [createdAt, id] = decodeCursor('checkpoints', query.cursor, ['number', 'string'])
    rows = rows.where(sql<boolean>`(created_at, id) < (${createdAt}, ${id})`)
  }
  const found = await rows
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return pageOf(found.map(unpackCheckpoint), limit, ({ createdAt, id }) => encodeCursor('checkpoints', [createdAt, id]))
}
