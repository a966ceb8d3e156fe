import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { DeadEventStore } from '../port/dead-events.ts'
import type { ExecutionDatabase } from './schema.ts'

/** The entries set aside. Their bodies are what was found, so what Postgres cannot hold (NUL, lone surrogates) becomes U+FFFD. */
export function createDeadEventTable(db: ExecutionDatabase): DeadEventStore {
  return {
    async add({ fid, position, reason, body, at }) {
      const row = { fid: storable(fid), position: storable(position), reason: storable(reason), body: storable(body), at }
      await db
        .insertInto('dead_events')
        .values(row)
        .onConflict((conflict) => conflict.columns(['fid', 'position']).doNothing())
        .execute()
    },
    async list({ fid, cursor, limit: wanted }) {
      const limit = clampLimit(wanted)
      let events = db.selectFrom('dead_events').selectAll()
      if (fid !== undefined) events = events.where('fid', '=', fid)
      if (cursor !== undefined) events = events.where('id', '<', decodeCursor('dead', cursor, ['number'])[0])
      const rows = await events
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute()
      return pageOf(rows, limit, ({ id }) => encodeCursor('dead', [id]))
    },
    async get(id) {
      return await db.selectFrom('dead_events').selectAll().where('id', '=', id).executeTakeFirst()
    },
    async discard(id) {
      const result = await db.deleteFrom('dead_events').where('id', '=', id).executeTakeFirst()
      return result.numDeletedRows > 0n
    },
  }
}

function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}
