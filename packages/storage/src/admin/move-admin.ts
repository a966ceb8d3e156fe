import { createHash } from 'node:crypto'
import { RefusedError } from '@koco/core'
import { sql, type Kysely } from 'kysely'
import { usingAdminDatabase } from './admin-store.ts'
import type { DatabaseUrl } from '../url.ts'

/** How many rows each table has, and the SHA-256 of all of them, the same in both databases. */
export type AdminMoveReport = { readonly tables: Readonly<Record<string, number>>; readonly digest: string }

type Row = Readonly<Record<string, unknown>>

/** What belongs to a database and not to an installation. */
const OWN = new Set(['schema_migrations', 'admin_health', 'sqlite_sequence'])

/**
 * Copies the rows of every admin table (users, their sessions and keys, and whatever else there is) into another admin database of the same version, and compares them. What is there already stays; one that
 * is there and differs, or a name that is taken, is refused: RefusedError `move_differs`.
 */
export async function moveAdminStore(from: DatabaseUrl, to: DatabaseUrl): Promise<AdminMoveReport> {
  return await usingAdminDatabase(from, true, async (source) => {
    const tables = await tablesOf(source)
    return await usingAdminDatabase(to, false, async (target) => {
      const digest = createHash('sha256')
      const counts: Record<string, number> = {}
      for (const table of tables) {
        const rows = await rowsOf(source, table)
        for (const row of rows) await insert(target, table, row)
        const there = new Set((await rowsOf(target, table)).map(textOf))
        const missing = rows.filter((row) => !there.has(textOf(row)))
        if (missing.length > 0) throw differs(table, missing.length, rows.length)
        for (const row of rows) digest.update(textOf(row))
        counts[table] = rows.length
      }
      return { tables: counts, digest: digest.digest('hex') }
    })
  })
}

/** The tables of the source, users first: the others point to them. */
async function tablesOf(source: Kysely<unknown>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name`.execute(source)
  const names = rows.map(({ name }) => name).filter((name) => !OWN.has(name))
  return names.toSorted((a, b) => Number(b === 'users') - Number(a === 'users'))
}

async function rowsOf(db: Kysely<unknown>, table: string): Promise<readonly Row[]> {
  const { rows } = await sql<Row>`select * from ${sql.table(table)}`.execute(db)
  return rows
}

async function insert(db: Kysely<unknown>, table: string, row: Row): Promise<void> {
  const names = Object.keys(row)
  const values = names.map((name) => sql`${row[name]}`)
  await sql`insert into ${sql.table(table)} (${sql.join(names.map((name) => sql.ref(name)))}) values (${sql.join(values)}) on conflict do nothing`.execute(db)
}

/** Columns in the order of their names: the databases may have added them in another one. */
function textOf(row: Row): string {
  return JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function differs(table: string, missing: number, all: number): RefusedError {
  const message = `${missing} of ${all} rows of ${table} could not be moved: the new database has others of the same id or name. Move into a database without users, before anybody starts koco on it.`
  return new RefusedError(message, { code: 'move_differs' })
}
