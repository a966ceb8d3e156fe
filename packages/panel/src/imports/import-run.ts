import {
  CONTENT_BYTES_MAX,
  EVENT_BYTES_MAX,
  formatPosition,
  isEnded,
  newFid,
  newRunState,
  parseJson,
  toJsonText,
  type EventRecord,
  type LockState,
  type NewRun,
  type RunState,
} from '@koco/core'
import { claimResult, type Contents } from '@koco/flow'
import { foldRun, IMPORTED } from '@koco/storage'
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PanelContext } from '../context.ts'
import { ProblemError } from '../server/problems.ts'
import { bad, ExportedEvents, readHead } from './exported-run.ts'
import { linesOf, type Line } from './lines.ts'

const LINE_BYTES_MAX = CONTENT_BYTES_MAX + 2 * 1024 * 1024
const BATCH = 500
const AT_ONCE_MAX = 2
/** How many events may wait for the one before them. */
const BEHIND_MAX = 20_000

type Importing = Pick<PanelContext, 'store' | 'contents' | 'signals' | 'settings' | 'clock'>

/** What became of an import; `created` is false when this person had imported the same file before. */
export type Imported = { readonly fid: string; readonly created: boolean; readonly events: number }

let importing = 0

/**
 * Reads an exported run from its JSON lines and stores it as a run of `user` that is over for good. It gets an id of its own: an id out of a file could be one that a run of this installation has,
 * or will get. The same file gives the same run again. Everything is checked, and folded as the store will fold it, before anything is stored. Problems 422 `bad_import`, 413 `import_too_large`,
 * 429 `too_many_imports`.
 */
export async function importRun(context: Importing, user: string, bytes: AsyncIterable<Uint8Array>): Promise<Imported> {
  if (importing >= AT_ONCE_MAX)
    throw new ProblemError(429, 'too_many_imports', 'Other runs are being imported at this moment; try again in a few seconds.', { retryAfterS: 5 })
  importing += 1
  const folder = await mkdtemp(join(tmpdir(), 'koco-import-'))
  try {
    return await checkAndStore(context, user, bytes, join(folder, 'records.jsonl'))
  } finally {
    importing -= 1
    await rm(folder, { recursive: true, force: true })
  }
}

async function checkAndStore(context: Importing, user: string, bytes: AsyncIterable<Uint8Array>, file: string): Promise<Imported> {
  const check = new Check(context.contents, user, context.clock())
  const digest = createHash('sha256')
  const lines = linesOf(hashed(bytes, digest), { bytes: context.settings.fileBytesMax, lineBytes: LINE_BYTES_MAX })
  await pipeline(Readable.from(check.records(lines), { objectMode: false }), createWriteStream(file))
  const { store, signals } = context
  const { fid, created } = await store.runs.create({ ...check.run, launcher: IMPORTED, idempotencyKey: `import:${digest.digest('hex')}` })
  // Also a repeat writes: the first one may have been cut off in the middle. What is stored counts as there already.
  for await (const records of batchesOf(file)) await store.writer.write([{ fid, records }])
  check.named()
  await signals.publish([{ topic: 'committed', fid, position: formatPosition(check.state.lastPosition), ended: true }])
  return { fid, created, events: check.state.events }
}

async function* hashed(bytes: AsyncIterable<Uint8Array>, digest: { update(chunk: Uint8Array): unknown }): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    digest.update(chunk)
    yield chunk
  }
}

/** Checks the lines of a file on their way through. */
class Check {
  readonly #user: string
  readonly #nowMs: number
  #run: NewRun | undefined
  #state: RunState | undefined
  readonly #locks = new Map<string, LockState>()

  readonly #contents: Contents
  readonly #kept: (() => void)[] = []

  constructor(contents: Contents, user: string, nowMs: number) {
    this.#contents = contents
    this.#user = user
    this.#nowMs = nowMs
  }

  /** The run as it is created. */
  get run(): NewRun {
    if (!this.#run) throw bad({ number: 1 }, 'the file is empty')
    return this.#run
  }

  /** The run as its events make it. */
  get state(): RunState {
    return this.#state ?? newRunState(this.run)
  }

  /** The records to store, as JSON lines; to the end of a run that was not over, its end is added in an epoch of its own. */
  async *records(lines: AsyncIterable<Line>): AsyncGenerator<string> {
    let events: ExportedEvents | undefined
    let batch: EventRecord[] = []
    let behind: readonly EventRecord[] = []
    let count = 0
    for await (const line of lines) {
      if (!events) {
        events = this.#begin(line)
        continue
      }
      batch.push(await this.#claim(events.read(line), line))
      count += 1
      if (batch.length < BATCH) continue
      yield textOf(batch)
      behind = this.#fold([...behind, ...batch])
      batch = []
    }
    yield textOf(batch)
    this.#finish(this.#fold([...behind, ...batch]), count)
    if (!isEnded(this.state.status)) yield textOf(this.#end())
  }

  /** What the run names is stored now. */
  named(): void {
    for (const named of this.#kept.splice(0)) named()
  }

  /** An event as it is stored: a large result has its place elsewhere, as when the run was executed here. */
  async #claim(read: EventRecord, line: Line): Promise<EventRecord> {
    const { record, named } = await claimResult(this.#contents, read)
    this.#kept.push(named)
    if (Buffer.byteLength(record.data) > EVENT_BYTES_MAX) throw bad(line, `the event has more than ${EVENT_BYTES_MAX} bytes`)
    return record
  }

  #begin(line: Line): ExportedEvents {
    const head = readHead(line, this.#nowMs)
    const { flow, version, summary, tags, inputs, created_at: createdAt } = head
    const fid = newFid(createdAt * 1000, randomBytes(8))
    this.#run = { fid, flow, version, summary, tags, inputs, createdAt, user: this.#user, parent: null }
    this.#state = newRunState(this.#run)
    return new ExportedEvents(head, this.#user, this.#nowMs)
  }

  /** Folds records and gives those that stand behind a hole, which a later seal may explain. */
  #fold(records: readonly EventRecord[]): readonly EventRecord[] {
    const { state, locks, waiting } = foldRun(this.state, this.#locks, records)
    this.#state = state
    for (const lock of locks) this.#locks.set(lock.lid, lock)
    if (waiting > BEHIND_MAX) throw missingBefore(records.at(-waiting))
    return waiting === 0 ? [] : records.slice(-waiting)
  }

  #finish(behind: readonly EventRecord[], count: number): void {
    if (behind.length > 0) throw missingBefore(behind[0])
    if (count === 0) throw bad({ number: 1 }, 'the file has no events')
    if (this.state.events !== count) throw bad({ number: 1 }, 'some of its events stand where a later try had closed the place; export the run again')
  }

  #end(): EventRecord[] {
    const { lastPosition, attempt, status } = this.state
    const epoch = lastPosition.epoch + 1
    const ts = this.#nowMs / 1000
    const bodies = [
      ['attempt', { attempt, reason: 'finalise', owner: IMPORTED, prev: formatPosition(lastPosition) }],
      ['cancel', { by: this.#user, reason: `imported while it was ${status}` }],
      ['status', { status: 'cancelled' }],
    ] as const
    const records = bodies.map(([kind, data], index): EventRecord => ({ epoch, seq: index + 1, ts, kind, step: null, data: toJsonText(data) }))
    this.#fold(records)
    return records
  }
}

function missingBefore(record: EventRecord | undefined): ProblemError {
  return bad({ number: 1 }, `events are missing${record ? ` before ${formatPosition(record)}` : ''}; export the run again, whole`)
}

function textOf(records: readonly EventRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('')
}

async function* batchesOf(file: string): AsyncGenerator<EventRecord[]> {
  let batch: EventRecord[] = []
  for await (const { text } of linesOf(createReadStream(file), { bytes: Number.MAX_SAFE_INTEGER, lineBytes: Number.MAX_SAFE_INTEGER })) {
    batch.push(parseJson(text) as unknown as EventRecord)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
