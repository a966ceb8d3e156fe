import { isTally, type SideRow, type SideTable } from '../side-tables.ts'
import type { Db } from './connection.ts'

/** All rows of a side table. */
export function sideRows(db: Db, table: SideTable): SideRow[] {
  const rows = db.prepare<[], SideRow>(`SELECT * FROM ${table}`).all()
  return isTally(table) ? rows.map(({ user = null, ...row }) => ({ ...row, username: user })) : rows
}

/** Puts rows in place of those of the same key. */
export function putSideRows(db: Db, table: SideTable, rows: readonly SideRow[]): void {
  for (const row of rows) {
    const names = Object.keys(row)
    const columns = isTally(table) ? names.map((name) => (name === 'username' ? 'user' : name)) : names
    db.prepare(`INSERT OR REPLACE INTO ${table} (${columns.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`).run(...Object.values(row))
  }
}
