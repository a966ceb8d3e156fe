import { comparePositions, formatPosition, must, type Position } from '@koco/core'
import type { StreamEntry } from '../port.ts'

type Unacked = { readonly id: string; readonly position: Position }

/** A stream whose lease this consumer has: what it has read and not acknowledged, and where its recovery stands. */
export class Hold {
  readonly fid: string
  readonly key: string
  /** From where pending entries are to be claimed before new ones are read; null when all that is pending is in `unacked`. */
  recoverFrom: string | null
  /** The lease went to another: nothing more is read, what was read may still be acknowledged. */
  lost = false
  #unacked: Unacked[] = []

  constructor(fid: string, key: string, recoverFrom: string | null) {
    this.fid = fid
    this.key = key
    this.recoverFrom = recoverFrom
  }

  /** Notes entries as handed out. */
  noteRead(ids: readonly string[], entries: readonly StreamEntry[]): void {
    for (let i = 0; i < ids.length; i++) this.#unacked.push({ id: must(ids[i], 'id'), position: must(entries[i], 'entry').position })
  }

  /** The ids handed out up to a position. */
  idsTo(upTo: Position): string[] {
    return this.#unacked.slice(0, this.#countTo(upTo)).map((entry) => entry.id)
  }

  forgetTo(upTo: Position): void {
    this.#unacked.splice(0, this.#countTo(upTo))
  }

  /** A read failed: what it delivered is pending and was not seen, so it is claimed from after what was. */
  distrust(): void {
    const last = this.#unacked.at(-1)?.position
    this.recoverFrom = last ? formatPosition({ epoch: last.epoch, seq: last.seq + 1 }) : '0-0'
  }

  #countTo(upTo: Position): number {
    let count = 0
    while (count < this.#unacked.length && comparePositions(must(this.#unacked[count], 'entry').position, upTo) <= 0) count++
    return count
  }
}
