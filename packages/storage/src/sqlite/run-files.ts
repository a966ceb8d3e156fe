import {
  closeSync,
  existsSync,
  fdatasync as fdatasyncCallback,
  fsync as fsyncCallback,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { EventRecord, Position } from '@koco/core'
import Database from 'better-sqlite3'
import { BUSY_TIMEOUT_MS, type Db } from './connection.ts'
import { EVENT_COLUMNS, INSERT_EVENT, insertEvents, RunImage } from './run-image.ts'
import { type RawEvent, readEvent } from './run-rows.ts'

/** Where a run's file lies. */
export type FilePlace = { readonly fid: string; readonly home: string }

/** A file that was written and is not yet durable. */
export type NewFile = { readonly fd: number; readonly folder: string; readonly home: string }

const fdatasync = promisify(fdatasyncCallback)
const fsync = promisify(fsyncCallback)

const FILE = 'sqlite3.db'
const USER = /^[a-z0-9][a-z0-9._-]{0,62}$/
/** The folder of runs whose user has none of his own; no user can be called so. */
const NOBODY = '_'
/** Names in the data folder that are taken. */
const OURS = /^(?:index\.db.*|locks)$/

/** True for a name that may own runs: it becomes a folder's name. */
export function isUserName(user: string): boolean {
  return USER.test(user)
}

/** The name of the folder that holds a user's runs. */
export function homeOf(user: string): string {
  return isUserName(user) && !OURS.test(user) ? user : NOBODY
}

type Open = {
  readonly db: Db
  readonly inode: number | undefined
  isAppended: boolean
  readonly insert: Database.Statement
  readonly page: Database.Statement<unknown[], RawEvent>
  readonly range: Database.Statement<unknown[], RawEvent>
  readonly top: Database.Statement<unknown[], Position>
}

/**
 * The files of runs: `<dir>/<home>/<fid>/sqlite3.db`, table `monitor`. They keep a rollback journal, not a WAL: what is appended is written once and a run at rest is one file.
 * A bounded number of them is kept open.
 */
export class RunFiles {
  readonly #dir: string
  readonly #openMax: number
  readonly #open = new Map<string, Open>()
  readonly #homes = new Set<string>()
  #image: RunImage | undefined

  constructor(dir: string, openMax = 100) {
    this.#dir = dir
    this.#openMax = openMax
  }

  /** The records after a position, in order, at most `limit`. */
  page(place: FilePlace, after: Position, limit: number): EventRecord[] {
    return this.#file(place).page.all(after.epoch, after.seq, limit).map(readEvent)
  }

  /** The records of one epoch from `first` to `last`. */
  range(place: FilePlace, epoch: number, first: number, last: number): EventRecord[] {
    return this.#file(place).range.all(epoch, first, last).map(readEvent)
  }

  /** Appends to a file that is there; records that it has already stay as they are. Durable when it returns. */
  append(place: FilePlace, records: readonly EventRecord[]): void {
    const file = this.#file(place)
    file.isAppended = true
    file.db.transaction(() => insertEvents(file.insert, records)).immediate()
  }

  /**
   * Writes a file with these records, over whatever lies there: call it only while nothing is told to be in it. It counts once `settle` has made it durable. Filling it in memory and writing it in one
   * go takes a tenth of the time of making it by SQL on disk.
   */
  create(place: FilePlace, records: readonly EventRecord[]): NewFile {
    const folder = this.#prepareFolder(place)
    const fd = openSync(this.#path(place), 'w')
    this.#image ??= new RunImage()
    writeAll(fd, this.#image.fill(records))
    return { fd, folder, home: join(this.#dir, place.home) }
  }

  /** Makes new files durable, and the entries of their folders. All at once: the file system then commits them together. */
  async settle(files: readonly NewFile[]): Promise<void> {
    await Promise.all(files.map(async ({ fd }) => await fdatasync(fd).finally(() => closeSync(fd))))
    await Promise.all(files.map(async ({ folder }) => await syncFolder(folder)))
    if (files.length > 0) await Promise.all([...new Set(files.map(({ home }) => home)), this.#dir].map(syncFolder))
  }

  /** The size of a run's file in bytes; 0 when it has none. */
  size(place: FilePlace): number {
    return statSync(this.#path(place), { throwIfNoEntry: false })?.size ?? 0
  }

  /** True while a run's file is as it was when these facts of it were noted. */
  isUnchanged(place: FilePlace, facts: { readonly size: number; readonly mtimeMs: number }): boolean {
    const found = statSync(this.#path(place), { throwIfNoEntry: false })
    return found?.size === facts.size && found.mtimeMs === facts.mtimeMs
  }

  /** The highest position in a run's file; undefined when it has none. */
  top(place: FilePlace): Position | undefined {
    if (!existsSync(this.#path(place))) return undefined
    return this.#file(place).top.get() ?? { epoch: 0, seq: 0 }
  }

  /** Where a run's file really lies, from where it should: a run that nobody had told the user of, when its file was written, lies elsewhere. Undefined when there is none. */
  find(place: FilePlace): FilePlace | undefined {
    if (existsSync(this.#path(place))) return place
    const elsewhere = readdirSync(this.#dir).map((home) => ({ fid: place.fid, home }))
    return elsewhere.find((other) => existsSync(this.#path(other)))
  }

  /** Takes a run's file away for good, and its folder with it. */
  remove(place: FilePlace): void {
    const open = this.#open.get(place.fid)
    this.#open.delete(place.fid)
    open?.db.close()
    rmSync(join(this.#dir, place.home, place.fid), { recursive: true, force: true })
  }

  close(): void {
    for (const file of this.#open.values()) closeFile(file)
    this.#open.clear()
    this.#image?.close()
  }

  /** Makes a run's folder, or clears the one that is there of a journal that a crash left beside a file that never counted: it would be rolled back into the new one. */
  #prepareFolder({ home, fid }: FilePlace): string {
    const folder = join(this.#dir, home, fid)
    if (!this.#homes.has(home)) mkdirSync(join(this.#dir, home), { recursive: true })
    this.#homes.add(home)
    if (existsSync(folder)) rmSync(join(folder, `${FILE}-journal`), { force: true })
    else mkdirSync(folder)
    return folder
  }

  /** The open file, now the one used last. */
  #file(place: FilePlace): Open {
    const known = this.#known(place)
    const file = known ?? this.#openFile(place)
    this.#open.set(place.fid, file)
    if (this.#open.size > this.#openMax) this.#closeOldest()
    return file
  }

  /** The open file, taken off the list. One that was removed since, and may have been made anew, is closed: its run went, and came back out of an archive. */
  #known(place: FilePlace): Open | undefined {
    const known = this.#open.get(place.fid)
    this.#open.delete(place.fid)
    if (!known || known.inode === this.#inode(place)) return known
    known.db.close()
    return undefined
  }

  #inode(place: FilePlace): number | undefined {
    return statSync(this.#path(place), { throwIfNoEntry: false })?.ino
  }

  #openFile(place: FilePlace): Open {
    // Not read-only, even for readers: after a crash the first to come has to roll back.
    const db = new Database(this.#path(place), { fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
    db.pragma('journal_mode = TRUNCATE')
    db.pragma('synchronous = FULL')
    db.pragma('cache_size = -2000')
    return {
      db,
      inode: this.#inode(place),
      isAppended: false,
      insert: db.prepare(INSERT_EVENT),
      page: db.prepare(`SELECT ${EVENT_COLUMNS} FROM monitor WHERE (epoch, seq) > (?, ?) ORDER BY epoch, seq LIMIT ?`),
      range: db.prepare(`SELECT ${EVENT_COLUMNS} FROM monitor WHERE epoch = ? AND seq BETWEEN ? AND ?`),
      top: db.prepare('SELECT epoch, seq FROM monitor ORDER BY epoch DESC, seq DESC LIMIT 1'),
    }
  }

  #closeOldest(): void {
    const [oldest] = this.#open
    if (!oldest) return
    this.#open.delete(oldest[0])
    closeFile(oldest[1])
  }

  #path(place: FilePlace): string {
    return join(this.#dir, place.home, place.fid, FILE)
  }
}

function closeFile({ db, isAppended }: Open): void {
  // Takes away the empty journal that TRUNCATE leaves. Not DELETE from the start: its commit may be undone by a power loss.
  if (isAppended) db.pragma('journal_mode = DELETE')
  db.close()
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at)
}

async function syncFolder(path: string): Promise<void> {
  const fd = openSync(path, 'r')
  await fsync(fd).finally(() => closeSync(fd))
}
