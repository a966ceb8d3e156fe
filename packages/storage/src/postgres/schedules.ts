import { parseJson, RefusedError, toJsonText } from '@koco/core'
import { sql, type Selectable } from 'kysely'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { Schedule, ScheduleStore } from '../port/schedules.ts'
import type { ExecutionDatabase, ScheduleTable } from './schema.ts'

type About = Pick<Schedule, 'flow' | 'inputs' | 'timing' | 'missed' | 'overlap' | 'createdAt'>

/** The schedules. RefusedError `schedule_exists`, `bad_cursor`. */
export function createScheduleTable(db: ExecutionDatabase): ScheduleStore {
  return {
    async create({ id, user: username, launcher, paused, nextAt, lastAt, lastFid, problem, ...about }) {
      const row = { id, username, launcher, about: toJsonText(about satisfies About), paused, next_at: nextAt, last_at: lastAt, last_fid: lastFid, problem }
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('schedules')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      if (numInsertedOrUpdatedRows !== 1n) throw new RefusedError(`There is a schedule "${id}" already.`, { code: 'schedule_exists' })
    },
    async get(id) {
      const row = await db.selectFrom('schedules').selectAll().where('id', '=', id).executeTakeFirst()
      return row && read(row)
    },
    async list({ user, cursor, limit: asked }) {
      const limit = clampLimit(asked)
      let schedules = db.selectFrom('schedules').selectAll()
      if (user !== undefined) schedules = schedules.where('username', '=', user)
      if (cursor !== undefined) schedules = schedules.where('id', '>', decodeCursor('schedules', cursor, ['string'])[0])
      const rows = await schedules
        .orderBy('id')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(read), limit, ({ id }) => encodeCursor('schedules', [id]))
    },
    async due(launcher, at, limit) {
      const due = db.selectFrom('schedules').selectAll().where('launcher', '=', launcher).where('paused', '=', false).where('next_at', '<=', at)
      return (await due.orderBy('next_at').limit(clampLimit(limit)).execute()).map(read)
    },
    async pause(id, paused, nextAt) {
      const { numUpdatedRows } = await db.updateTable('schedules').set({ paused, next_at: nextAt }).where('id', '=', id).executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async advance(id, from, { nextAt, lastAt, lastFid, problem }) {
      const isNews = sql<boolean>`coalesce(last_at, 0) <= coalesce(${lastAt}::float8, 0)`
      const noted = <T>(column: string, value: T, type: string) => sql<T>`CASE WHEN ${isNews} THEN ${value}::${sql.raw(type)} ELSE ${sql.ref(column)} END`
      const { numUpdatedRows } = await db
        .updateTable('schedules')
        .set({
          next_at: nextAt,
          last_at: noted('last_at', lastAt, 'float8'),
          last_fid: noted('last_fid', lastFid, 'text'),
          problem: noted('problem', problem, 'text'),
        })
        .where('id', '=', id)
        .where('next_at', 'is not distinct from', from)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async delete(id) {
      const { numDeletedRows } = await db.deleteFrom('schedules').where('id', '=', id).executeTakeFirst()
      return numDeletedRows > 0n
    },
  }
}

function read({
  about,
  username: user,
  next_at: nextAt,
  last_at: lastAt,
  last_fid: lastFid,
  id,
  launcher,
  paused,
  problem,
}: Selectable<ScheduleTable>): Schedule {
  return { ...(parseJson(about) as unknown as About), id, user, launcher, paused, nextAt, lastAt, lastFid, problem }
}
