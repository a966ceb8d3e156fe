import { RefusedError, type Position } from '@koco/core'
import { MemoryStream } from './stream.ts'

/** Limits of a memory transport; each makes appends `busy` (or a new stream refused) instead of growing further. */
export type MemoryCapacity = {
  /** Entries of one run that wait to be persisted; default 50,000. */
  readonly backlogMax: number
  /** Bytes of all runs that wait to be persisted; default 256 MiB. */
  readonly bytesMax: number
  /** Streams at a time; default 100,000. Beyond it the oldest that holds nothing is forgotten. */
  readonly streamsMax: number
}

type Wake = () => void

/** What the producers' and the consumers' side of a memory transport share: the streams, and which of them have work. */
export class MemoryHub {
  readonly streams = new Map<string, MemoryStream>()
  readonly capacity: MemoryCapacity
  closed = false
  bytes = 0
  readonly #ready = new Set<string>()
  readonly #idle = new Set<Wake>()

  constructor(capacity: MemoryCapacity) {
    this.capacity = capacity
  }

  /** The stream of a run, made when there is none, its top at least at `floor`. */
  open(fid: string, floor: Position): void {
    const known = this.streams.get(fid)
    if (known) return known.raise(floor)
    if (this.streams.size >= this.capacity.streamsMax && !this.#evict()) {
      throw new RefusedError(`${this.streams.size} runs are open in memory, the limit. Wait until some end, or use KODO_EVENT_TRANSPORT=redis.`, {
        code: 'too_many_streams',
      })
    }
    this.streams.set(fid, new MemoryStream(floor))
  }

  /** Forgets the oldest stream that holds nothing: its producer, if there still is one, gets `nostream` and has it made again from the store. */
  #evict(): boolean {
    for (const [fid, stream] of this.streams) {
      if (stream.owner || stream.hasWork) continue
      return this.streams.delete(fid)
    }
    return false
  }

  /** Says that a stream has work; wakes one consumer that waits. */
  hint(fid: string): void {
    this.#ready.add(fid)
    const [wake] = this.#idle
    if (wake) wake()
  }

  /** Takes up to `max` streams with work that nobody holds, oldest hint first. A hint at a held stream is dropped: its owner looks again when it lets go. */
  take(owner: object, max: number): string[] {
    const taken: string[] = []
    for (const fid of this.#ready) {
      if (taken.length >= max) break
      this.#ready.delete(fid)
      const stream = this.streams.get(fid)
      if (!stream || stream.owner || !stream.hasWork) continue
      stream.owner = owner
      stream.rewind()
      taken.push(fid)
    }
    return taken
  }

  /** Resolves at the next hint, when `ms` are over, or when `until` is aborted. */
  async nextHint(ms: number, until: AbortSignal): Promise<void> {
    const waiting = Promise.withResolvers<void>()
    const wake = () => {
      this.#idle.delete(wake)
      waiting.resolve()
    }
    this.#idle.add(wake)
    const timer = setTimeout(wake, ms)
    until.addEventListener('abort', wake, { once: true })
    if (until.aborted) wake()
    await waiting.promise
    clearTimeout(timer)
    until.removeEventListener('abort', wake)
  }
}
