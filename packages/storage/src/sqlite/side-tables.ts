import { isTally, type SideRow, type SideTable } from '../side-tables.ts'
import type { Db } from './connection.ts'

/** All rows of a side table. */
export function sideRows(db: Db, table: SideTable): SideRow[] {
  const rows = db.prepare<[], SideRow>(`SELECT * FROM ${table}`).all()
  return isTally(table) ? rows.map(({ user = null, ...row }) => ({ ...row, username: user })) : rows
}

/** Puts rows in place of those of the same key. */
export function putSideRows(db: Db, table: SideTable, rows: readonly SideRow[]): void {
  const [first] = rows
  if (!first) return
  const names = Object.keys(first)
  const columns = isTally(table) ? names.map((name) => (name === 'username' ? 'user' : name)) : names
  const insert = db.prepare(`INSERT OR REPLACE INTO ${table} (${columns.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
  for (const row of rows) insert.run(...names.map((name) => row[name] ?? null))
}
