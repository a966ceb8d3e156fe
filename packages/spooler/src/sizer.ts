import type { StreamBatch } from '@koco/transport'
import { WRITE_BYTES_MAX, type ReadBatch } from './batch.ts'

/** Streams of one batch at most, and at least when more wait. */
const STREAMS_MAX = 128
const STREAMS_MIN = 4
/** A write holds up to so many times the entries of one stream. */
const STREAMS_FULL = 8

/**
 * Decides how many streams a batch takes and how much it reads of each. A stream costs about the same however much is read of it, so deep streams are read deep and few
 * at a time, shallow ones many at a time; what the last batches found says which they are.
 */
export class BatchSizer {
  readonly #batchSize: number
  #entriesEach = 1
  #bytesEach = 512

  constructor(batchSize: number) {
    this.#batchSize = batchSize
  }

  /** How many streams the next batch takes at most: of those that fill a round by themselves a few, which leaves the others to other spoolers. */
  get streams(): number {
    if (this.#entriesEach >= this.#batchSize) return STREAMS_MIN
    return Math.max(STREAMS_MIN, Math.min(STREAMS_MAX, Math.ceil(this.#rows / this.#entriesEach)))
  }

  /** How many entries to read of each of so many streams: together they fill a write, by rows or by bytes. */
  countEach(streams: number): number {
    return Math.max(1, Math.min(this.#batchSize, Math.floor(this.#rows / streams)))
  }

  /** Learns from what a read of `countEach` gave. Sizes grow at once and shrink slowly. */
  learn(batch: ReadBatch, streams: readonly StreamBatch[], countEach: number): void {
    if (batch.events === 0) return
    const bytes = batch.bytes / batch.events
    this.#bytesEach = bytes > this.#bytesEach ? bytes : 0.9 * this.#bytesEach + 0.1 * bytes
    // Streams that held more than was read are at least twice as deep.
    const deep = streams.filter((stream) => stream.more).length
    const found = deep > streams.length / 2 ? 2 * countEach : batch.events / streams.length
    this.#entriesEach = Math.min(this.#batchSize, found > this.#entriesEach ? found : 0.7 * this.#entriesEach + 0.3 * found)
  }

  get #rows(): number {
    return Math.min(STREAMS_FULL * this.#batchSize, WRITE_BYTES_MAX / this.#bytesEach)
  }
}
