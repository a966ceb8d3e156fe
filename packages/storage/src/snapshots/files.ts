import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import * as zlib from 'node:zlib'
import { RefusedError } from '@koco/core'

/** Why a snapshot was made; each kind has a folder of its own. Only `periodic` ones are pruned. */
export type SnapshotKind = 'periodic' | 'manual' | 'before-migrate'

/** A file of a snapshot; `at` is unix ms, `n` counts within the folder. */
export type SnapshotFile = { readonly path: string; readonly name: string; readonly at: number; readonly n: number }

const NAME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(?:\.(\d{3}))?Z(?:-(\d+))?\.json(?:\.zst|\.gz)?$/
const PART = '.part'
const END = '"sha256":'
const END_BYTES = Buffer.from(END)
const LINE_FEED = 10
const COMMA = 44
/** Each piece that is unpacked goes through another thread and back: a few large ones cost less than many small ones. */
const PIECE = 1 << 20

/** Called at named points between the steps of a write; does nothing but in crash tests. */
type CrashPoint = (point: string) => void

/**
 * Snapshots below a folder: `<kind>/<UTC yyyymmddThhmmss.mmmZ>-<n>.json.zst`, one JSON document a file, a line for each run, the hash of all lines before it at its end. A file is there whole or not at all: written under
 * another name, synced, renamed. Names without milliseconds and number, and files that are not compressed, are read too.
 */
export class SnapshotFolder {
  readonly #dir: string
  readonly #crash: CrashPoint

  constructor(dir: string, crash: CrashPoint = () => undefined) {
    this.#dir = dir
    this.#crash = crash
  }

  /** The newest snapshot of a kind; null when its folder is missing or empty. */
  async latest(kind: SnapshotKind): Promise<SnapshotFile | null> {
    return (await this.list(kind))[0] ?? null
  }

  /** All snapshots of a kind, the newest first. */
  async list(kind: SnapshotKind): Promise<SnapshotFile[]> {
    const names = await readdir(join(this.#dir, kind)).catch(() => [])
    return names.flatMap((name) => describe(join(this.#dir, kind, name), name) ?? []).toSorted((a, b) => b.at - a.at || b.n - a.n)
  }

  /** Writes a snapshot of these lines, each JSON of one object. Durable when it resolves. */
  async write(kind: SnapshotKind, atMs: number, lines: AsyncIterable<string>): Promise<SnapshotFile> {
    const folder = join(this.#dir, kind)
    await mkdir(folder, { recursive: true })
    const [last] = await this.list(kind)
    const stamp = new Date(atMs).toISOString().replaceAll(/[-:]/g, '')
    const name = `${stamp}-${(last?.n ?? 0) + 1}.json${ENDING}`
    const path = join(folder, name)
    await rm(`${path}${PART}`, { force: true })
    await pipeline(document(lines, this.#crash), compress(), createWriteStream(`${path}${PART}`))
    this.#crash('snapshot:written')
    await sync(`${path}${PART}`)
    this.#crash('snapshot:synced')
    await rename(`${path}${PART}`, path)
    this.#crash('snapshot:renamed')
    await sync(folder)
    return { path, name, at: atMs, n: (last?.n ?? 0) + 1 }
  }

  /** Takes all but the newest `keep` periodic snapshots away, and what killed writers left; the one in use stays. Gives how many went. */
  async prune(keep: number, inUse: string | null = null): Promise<number> {
    const folder = join(this.#dir, 'periodic')
    const old = (await this.list('periodic')).slice(keep).filter(({ path }) => path !== inUse)
    for (const { path } of old) await rm(path, { force: true })
    for (const name of await readdir(folder).catch(() => [])) if (name.endsWith(PART)) await rm(join(folder, name), { force: true })
    return old.length
  }
}

/** The lines of a snapshot's document, first its head, after the whole of it was checked; `isChecked`: it was already. RefusedError `bad_snapshot`. */
export async function* readSnapshot(path: string, isChecked = false): AsyncGenerator<string> {
  if (!isChecked && !(await isWhole(path))) throw new RefusedError(`The snapshot ${path} is damaged or cut off.`, { code: 'bad_snapshot' })
  for await (const line of linesOf(path)) {
    const text = line.toString('utf8', 0, line.at(-1) === COMMA ? line.length - 1 : line.length)
    if (text.startsWith(END)) return
    if (text.startsWith('{"line":')) yield text
    else if (text.startsWith('"head":')) yield text.slice('"head":'.length)
  }
}

async function isWhole(path: string): Promise<boolean> {
  const hash = createHash('sha256')
  try {
    for await (const line of linesOf(path)) {
      if (line.subarray(0, END.length).equals(END_BYTES)) return line.toString() === `${END}"${hash.digest('hex')}"}`
      hash.update(line)
    }
  } catch {
    // A file that cannot be unpacked is as damaged as one whose hash is another.
  }
  return false
}

/** `{"head":{…},"lines":[…],"sha256":"…"}`, over as many lines as it has parts. */
async function* document(lines: AsyncIterable<string>, crash: CrashPoint): AsyncGenerator<string> {
  const hash = createHash('sha256')
  const put = (line: string): string => {
    hash.update(line)
    return `${line}\n`
  }
  yield put('{')
  let last: string | undefined
  let isFirst = true
  for await (const line of lines) {
    if (isFirst) yield put(`"head":${line},`) + put('"lines":[')
    else {
      if (last !== undefined) yield put(`${last},`)
      last = line
      crash('snapshot:line')
    }
    isFirst = false
  }
  if (last !== undefined) yield put(last)
  yield put('],')
  yield `${END}"${hash.digest('hex')}"}\n`
}

/** Cut at line feeds and nowhere else: JSON texts may hold other characters that some take for line ends. */
async function* linesOf(path: string): AsyncGenerator<Buffer> {
  const bytes = createReadStream(path, { highWaterMark: PIECE })
  const unpacked = path.endsWith('.zst')
    ? bytes.pipe(zlib.createZstdDecompress({ chunkSize: PIECE }))
    : path.endsWith('.gz')
      ? bytes.pipe(zlib.createGunzip({ chunkSize: PIECE }))
      : bytes
  if (unpacked !== bytes) bytes.on('error', (error) => unpacked.destroy(error))
  let rest: Buffer[] = []
  for await (const piece of unpacked as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = piece.indexOf(LINE_FEED); end !== -1; end = piece.indexOf(LINE_FEED, from)) {
      rest.push(piece.subarray(from, end))
      yield rest.length === 1 ? piece.subarray(from, end) : Buffer.concat(rest)
      rest = []
      from = end + 1
    }
    if (from < piece.length) rest.push(piece.subarray(from))
  }
  if (rest.length > 0) yield Buffer.concat(rest)
}

/** zstd where the runtime has it: as small as gzip at a fifth of the time. */
const HAS_ZSTD = typeof zlib.createZstdCompress === 'function'
const ENDING = HAS_ZSTD ? '.zst' : '.gz'

function compress(): NodeJS.ReadWriteStream {
  return HAS_ZSTD ? zlib.createZstdCompress() : zlib.createGzip()
}

function describe(path: string, name: string): SnapshotFile | undefined {
  const found = NAME.exec(name)
  if (!found) return undefined
  const [, year, month, day, hour, minute, second, ms = '0', n = '0'] = found
  const at = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second), Number(ms))
  return existsSync(path) ? { path, name, at, n: Number(n) } : undefined
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
