import { must } from '@koco/core'
import type { RecordBody } from '../port.ts'

/** What a record costs beside its data, roughly, in bytes. */
const RECORD_OVERHEAD_BYTES = 160

/** `end`: the bytes of everything ever pushed, up to and with this slot. */
type Slot = { readonly body: RecordBody; readonly end: number }

/** One epoch's events that the store has not committed, by seq and without holes: those already sent first, then those that wait to be. */
export class Ring {
  #slots: Slot[] = []
  /** The seq of the first slot. */
  #first = 1
  #head = 0
  #pushed = 0
  #dropped = 0

  /** The lowest seq that is still here (or will be the next). */
  get firstSeq(): number {
    return this.#first
  }

  /** The seq of the newest event; `firstSeq` - 1 when empty. */
  get lastSeq(): number {
    return this.#first + (this.#slots.length - this.#head) - 1
  }

  get bytes(): number {
    return this.#pushed - this.#dropped
  }

  /** The bytes of what is here up to a seq. */
  bytesTo(seq: number): number {
    return seq < this.#first ? 0 : this.#at(seq).end - this.#dropped
  }

  /** Adds an event and gives its seq. */
  push(body: RecordBody): number {
    this.#pushed += body.data.length + RECORD_OVERHEAD_BYTES
    this.#slots.push({ body, end: this.#pushed })
    return this.lastSeq
  }

  /** Up to `countMax` records from a seq on, and no more than about `bytesMax` of them, yet at least one. */
  slice(fromSeq: number, countMax: number, bytesMax: number): RecordBody[] {
    const out: RecordBody[] = []
    const start = this.bytesTo(fromSeq - 1)
    for (let seq = fromSeq; seq <= this.lastSeq && out.length < countMax; seq++) {
      const slot = this.#at(seq)
      if (out.length > 0 && slot.end - this.#dropped - start > bytesMax) break
      out.push(slot.body)
    }
    return out
  }

  /** Forgets everything up to a seq: the store has it. */
  dropTo(seq: number): void {
    while (this.#first <= seq && this.#head < this.#slots.length) {
      this.#dropped = this.#at(this.#first).end
      this.#head++
      this.#first++
    }
    // The array is cut when half of it is dead, so that forgetting costs O(1) an event.
    if (this.#head > 64 && this.#head * 2 > this.#slots.length) {
      this.#slots.splice(0, this.#head)
      this.#head = 0
    }
  }

  #at(seq: number): Slot {
    return must(this.#slots[this.#head + seq - this.#first], `event ${seq} of the ring`)
  }
}
