import { comparePositions, isEnded, ORIGIN, type ErrorValue, type Position } from '@koco/core'
import type { EventReader } from '@koco/storage'
import type { Producer } from '@koco/transport'
import type { Clock } from '../clock.ts'
import { Journal } from './journal.ts'
import { readJournal } from './read-journal.ts'
import { defaultLimits } from './try.ts'

/** How a run ends whose tries are over. */
export type RunEnd =
  | { readonly status: 'cancelled'; readonly by: string; readonly reason: string | null }
  | { readonly status: 'error' | 'timed_out'; readonly error: ErrorValue }

/** What writing a run's end needs. The producer is of an epoch of its own; it is closed. */
export type Finalise = {
  readonly fid: string
  readonly end: RunEnd
  readonly producer: Producer
  readonly reader: EventReader
  readonly onCommitted: (listener: (position: Position) => void) => () => void
  readonly clock: Clock
  readonly attempt: number
  readonly owner: string
  readonly signal: AbortSignal
  /** Cancels the live children of the run, as of ChildRuns. */
  readonly stopChildren: (by: string, reason: string | null) => Promise<void>
}

const CLOSE_MS = 5000

/**
 * Writes the end of a run that nobody executes any more: fences what came before, makes sure that the run is not over, and says how it ended. `ended`: it was over
 * already. Throws FencedError when somebody later is at the run, UnavailableError when stream or store stay away.
 */
export async function finaliseRun(finalise: Finalise): Promise<'written' | 'ended'> {
  const { producer, clock, attempt, owner, end } = finalise
  const ts = (): number => clock.now() / 1000
  try {
    producer.emit({ kind: 'attempt', data: { attempt, reason: 'finalise', owner }, ts: ts() })
    await producer.flush(finalise.signal)
    if (await isOver(finalise)) return 'ended'
    if (end.status === 'cancelled') await finalise.stopChildren(end.by, end.reason)
    if (end.status === 'cancelled') producer.emit({ kind: 'cancel', data: { by: end.by, ...(end.reason !== null && { reason: end.reason }) }, ts: ts() })
    else producer.emit({ kind: 'error', data: end.error, ts: ts() })
    producer.emit({ kind: 'status', data: { status: end.status }, ts: ts() })
    await producer.flush(finalise.signal)
    return 'written'
  } finally {
    await producer.close(CLOSE_MS)
  }
}

async function isOver({ fid, producer, reader, onCommitted, signal }: Finalise): Promise<boolean> {
  const prev = producer.prev ?? { epoch: producer.epoch, seq: 1 }
  if (comparePositions(prev, ORIGIN) === 0) return false
  const journal = new Journal(defaultLimits.journalBytes)
  await readJournal({ fid, epoch: producer.epoch, prev, reader, onCommitted, storedMs: defaultLimits.storedMs, signal }, journal)
  return journal.status !== null && isEnded(journal.status)
}
