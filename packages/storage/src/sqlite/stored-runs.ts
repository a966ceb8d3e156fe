import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isFid } from '@koco/core'
import type { StoredRunPlace } from '../port/keeper.ts'
import type { Db } from './connection.ts'

/** Ends of pages from which a walk may go on without listing the folders again: of one walk the last few, of several each one's. */
const PAGES_MAX = 8
const FID_LENGTH = 24

/** A listing of the folders on its way: `<fid><home>` in order, and how far the pages have come. */
type Walk = { readonly found: readonly string[]; readonly at: number }

/**
 * The runs that have a folder or a row, page by page in the order of their fids. Whoever goes on from where a page ended goes on in the listing made for his first page: a walk over all runs lists the
 * folders once, not once a page. A run that comes meanwhile is found by its row. A listing is kept while its walk is under way. `list`: the names in a folder, `folders`: only those of folders.
 */
export class StoredRuns {
  readonly #dir: string
  readonly #list: (path: string, folders: boolean) => string[]
  readonly #rows
  readonly #walks = new Map<string, Walk>()

  constructor(db: Db, dir: string, list = listFolder) {
    this.#dir = dir
    this.#list = list
    this.#rows = db.prepare<[string, number], string>('SELECT fid FROM runs WHERE fid > ? ORDER BY fid LIMIT ?').pluck()
  }

  /** The runs behind `after`, at most `limit`; fewer only at the end. */
  page(after: string | null, limit: number): StoredRunPlace[] {
    const { found, at: from } = this.#walks.get(after ?? '') ?? { found: this.#listAll(after ?? ''), at: 0 }
    const rows = this.#rows.all(after ?? '', limit)
    const page: StoredRunPlace[] = []
    let [at, row] = [from, 0]
    while (page.length < limit) {
      const [folder, fid] = [found[at], rows[row]]
      if (folder === undefined && fid === undefined) break
      const next = folder === undefined || (fid !== undefined && fid < folder.slice(0, FID_LENGTH)) ? fid : folder.slice(0, FID_LENGTH)
      if (next === undefined) break
      page.push({ fid: next, home: folder?.startsWith(next) === true ? folder.slice(FID_LENGTH) : null })
      while (found[at]?.startsWith(next) === true) at++
      if (fid === next) row++
    }
    this.#keep(page, { found, at }, limit)
    return page
  }

  #keep(page: readonly StoredRunPlace[], walk: Walk, limit: number): void {
    const last = page.at(-1)
    if (last && page.length === limit) {
      this.#walks.delete(last.fid)
      this.#walks.set(last.fid, walk)
      const [oldest] = this.#walks.keys()
      if (this.#walks.size > PAGES_MAX && oldest !== undefined) this.#walks.delete(oldest)
    } else for (const [fid, { found }] of this.#walks) if (found === walk.found) this.#walks.delete(fid)
  }

  #listAll(after: string): string[] {
    const homes = this.#list(this.#dir, true).filter((home) => home !== 'locks')
    return homes.flatMap((home) => this.#list(join(this.#dir, home), false).flatMap((name) => (isFid(name) && name > after ? `${name}${home}` : []))).toSorted()
  }
}

function listFolder(path: string, folders: boolean): string[] {
  if (!folders) return readdirSync(path)
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : []))
}
