import { comparePositions, formatPosition, ORIGIN, UnavailableError, type Position } from '@koco/core'
import type { EventPage, EventReader } from '@koco/storage'
import type { Journal } from './journal.ts'

const PAGE = 2000
const DELAY_MS_MAX = 500

/** What reading a journal needs. `prev` is the seal: the last position of the epoch before. */
export type JournalRead = {
  readonly fid: string
  readonly epoch: number
  readonly prev: Position
  readonly reader: EventReader
  readonly onCommitted: (listener: (position: Position) => void) => () => void
  /** How long to wait for the store, in milliseconds. */
  readonly storedMs: number
  /** Aborted when the try must end. */
  readonly signal: AbortSignal
}

/**
 * Folds everything before our own epoch into the journal, once the store has all of it up to the seal: waits for the committed signal and reads
 * again with growing delays. UnavailableError `not_stored` when that takes too long; the signal's reason when it aborts.
 */
export async function readJournal(read: JournalRead, journal: Journal): Promise<void> {
  const deadline = performance.now() + read.storedMs
  let after = ORIGIN
  let delayMs = 2
  for (;;) {
    read.signal.throwIfAborted()
    const page = await readPage(read, after)
    for (const record of page?.records ?? []) {
      if (record.epoch >= read.epoch) return
      journal.add(record)
    }
    after = page?.scanned ?? after
    if (comparePositions(after, read.prev) >= 0) return
    if (page !== undefined && !page.caughtUp && page.records.length > 0) continue
    if (performance.now() > deadline) throw late(read, after)
    await news(read, delayMs)
    delayMs = Math.min(delayMs * 2, DELAY_MS_MAX)
  }
}

// A store that is away is waited for like one that is late.
async function readPage(read: JournalRead, after: Position): Promise<EventPage | undefined> {
  try {
    return await read.reader.read(read.fid, { after, limit: PAGE })
  } catch (error) {
    if (error instanceof UnavailableError) return undefined
    throw error
  }
}

function news(read: JournalRead, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      unsubscribe()
      read.signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, delayMs)
    const unsubscribe = read.onCommitted(done)
    read.signal.addEventListener('abort', done)
  })
}

function late(read: JournalRead, after: Position): UnavailableError {
  return new UnavailableError(
    `The store has run ${read.fid} up to ${formatPosition(after)}, the stream up to ${formatPosition(read.prev)}: the next try waits for the spooler. Is \`koco spool\` running?`,
    { code: 'not_stored' },
  )
}
