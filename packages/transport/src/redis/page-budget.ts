import type { StreamBatch } from '../port.ts'

/**
 * Bounds what one read brings into memory: Redis 7 limits a read by count a stream only, so the count follows from the size of the entries that came before.
 */
export class PageBudget {
  readonly #bytesMax: number
  /** Follows larger entries at once and smaller ones slowly. */
  #bytesEach = 512

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** How many entries of each of `streams` streams to ask for, at most `wanted`. */
  count(streams: number, wanted: number): number {
    return Math.max(1, Math.min(wanted, Math.floor(this.#bytesMax / (streams * this.#bytesEach))))
  }

  /** Learns from what a read gave. */
  note(batches: readonly StreamBatch[]): void {
    let bytes = 0
    let count = 0
    for (const { entries } of batches) {
      for (const { record } of entries) bytes += record ? record.data.length + 128 : 128
      count += entries.length
    }
    if (count === 0) return
    const each = bytes / count
    this.#bytesEach = each > this.#bytesEach ? each : this.#bytesEach * 0.9 + each * 0.1
  }
}
