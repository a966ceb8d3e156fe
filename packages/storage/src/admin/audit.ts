import { randomBytes } from 'node:crypto'
import { parseJson, toJsonText } from '@koco/core'
import type { Selectable } from 'kysely'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { AuditEntry, AuditQuery, AuditStore } from '../port/admin.ts'
import type { AdminDatabase, AdminTables } from './schema.ts'

const ROWS_MAX = 500

/** The audit log. The database itself refuses to change an entry; the only way out is `prune`. RefusedError `bad_cursor`. */
export function createAuditTable(db: AdminDatabase): AuditStore {
  const newId = createIds()
  return {
    async add(entries) {
      const rows = entries.map((entry) => toRow({ ...entry, id: newId(entry.at) }))
      for (let from = 0; from < rows.length; from += ROWS_MAX)
        await db
          .insertInto('audit_log')
          .values(rows.slice(from, from + ROWS_MAX))
          .execute()
    },
    async list({ cursor, limit: asked, ...query }) {
      const limit = clampLimit(asked)
      let rows = matching(db, query)
      if (cursor !== undefined) rows = rows.where('id', '<', decodeCursor('audit', cursor, ['string'])[0])
      const found = await rows
        .selectAll()
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute()
      return pageOf(found.map(fromRow), limit, ({ id }) => encodeCursor('audit', [id]))
    },
    async prune(before) {
      const { numDeletedRows } = await db.deleteFrom('audit_log').where('id', '<', timePart(before)).executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

function matching(db: AdminDatabase, { actor, action, target, from, to }: Omit<AuditQuery, 'cursor' | 'limit'>) {
  let rows = db.selectFrom('audit_log')
  if (actor !== undefined) rows = rows.where('actor', '=', actor)
  // `run` stands for `run.start`, `run.cancel` and the like: the signs between `.` and `/` are those that begin with `run.`
  if (action !== undefined)
    rows = rows.where((where) => where.or([where('action', '=', action), where.and([where('action', '>=', `${action}.`), where('action', '<', `${action}/`)])]))
  if (target !== undefined) rows = rows.where('target', '=', target)
  if (from !== undefined) rows = rows.where('id', '>=', timePart(from))
  if (to !== undefined) rows = rows.where('id', '<', timePart(to))
  return rows
}

/** Ids in the order of their times, and of their making within a process. */
function createIds(): (at: number) => string {
  const own = randomBytes(4).toString('hex')
  let count = 0
  return (at) => {
    count = (count + 1) % 0x1_000_000
    return `${timePart(at)}${count.toString(16).padStart(6, '0')}${own}`
  }
}

function timePart(at: number): string {
  return Math.max(0, Math.floor(at * 1000))
    .toString(16)
    .padStart(12, '0')
}

function toRow({ id, at, actor, via, action, target, status, detail, address }: AuditEntry): AdminTables['audit_log'] {
  return { id, at, actor: storable(actor), via, action, target: storable(target), status, detail: toJsonText(detail), address: storable(address) }
}

function fromRow({ detail, ...row }: Selectable<AdminTables['audit_log']>): AuditEntry {
  return { ...row, detail: parseJson(detail) }
}

function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd').slice(0, 500)
}
