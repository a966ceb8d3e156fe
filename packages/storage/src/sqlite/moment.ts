import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { FileFacts, RunLine, StorePart } from '../port/keeper.ts'
import { SIDE_TABLES } from '../side-tables.ts'
import { openIndex, type Db } from './connection.ts'
import { createCopier } from './copy-runs.ts'
import { sessionCopies } from './copy-sessions.ts'
import { createQueries } from './queries.ts'
import { sideRows } from './side-tables.ts'

/** So few that a page takes a few milliseconds: the process has other things to do in this thread. */
const PAGE = 50
/** A file that was touched so shortly before is not trusted to be as the index says. */
const FRESH_MS = 100

type Filed = { readonly home: string | null; readonly epoch: number; readonly seq: number }

/** Reads everything in one read transaction on a connection of its own, a page at a time: whoever writes is not held up. */
export async function readMoment(dir: string, visit: (part: StorePart) => Promise<void>): Promise<void> {
  const db = openIndex(dir)
  try {
    const startedMs = Date.now()
    db.exec('BEGIN')
    for (const part of partsOf(db, dir, startedMs)) {
      await visit(part)
      await setImmediate()
    }
    db.exec('COMMIT')
  } finally {
    db.close()
  }
}

function* partsOf(db: Db, dir: string, startedMs: number): Generator<StorePart> {
  const copies = createCopier(db)
  const filed = db.prepare<[string], Filed>('SELECT home, file_epoch AS epoch, file_seq AS seq FROM runs WHERE fid = ?')
  for (const page of pagesOf(copies.page, (copy) => copy.state.fid)) {
    yield { kind: 'runs', lines: page.map((copy): RunLine => ({ copy, file: factsOf(dir, copy.state.fid, filed.get(copy.state.fid), startedMs) })) }
  }
  for (const page of pagesOf(sessionCopies(db), ({ session }) => session.id)) yield { kind: 'sessions', lines: page.map((copy) => ({ copy })) }
  const queries = createQueries(db)
  for (let cursor: string | undefined; ;) {
    const { items, next } = queries.listSchedules({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) })
    yield { kind: 'schedules', lines: items.map((schedule) => ({ schedule })) }
    if (next === null) break
    cursor = next
  }
  for (let cursor: string | undefined; ;) {
    const { items, next } = queries.listDead({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) })
    yield { kind: 'dead', lines: items.map((event) => ({ event })) }
    if (next === null) break
    cursor = next
  }
  for (const table of SIDE_TABLES) yield { kind: 'side', lines: sideRows(db, table).map((row) => ({ table, row })) }
}

function* pagesOf<T>(read: (after: string | null, limit: number) => readonly T[], keyOf: (item: T) => string): Generator<readonly T[]> {
  for (let after: string | null = null; ;) {
    const page = read(after, PAGE)
    const last = page.at(-1)
    if (!last) return
    yield page
    after = keyOf(last)
  }
}

function factsOf(dir: string, fid: string, filed: Filed | undefined, startedMs: number): FileFacts | null {
  if (!filed || filed.home === null) return null
  const found = statSync(join(dir, filed.home, fid, 'sqlite3.db'), { throwIfNoEntry: false })
  if (!found || found.mtimeMs > startedMs - FRESH_MS) return null
  return { home: filed.home, epoch: filed.epoch, seq: filed.seq, size: found.size, mtimeMs: found.mtimeMs }
}
