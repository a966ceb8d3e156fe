import { comparePositions, formatPosition, must, type EventRecord, type Position } from '@koco/core'
import { judgeAppend, sealData } from '../append-rule.ts'
import type { AppendAnswer, RecordBody, StreamEntry } from '../port.ts'

type Held = { readonly record: EventRecord; readonly bytes: number; deliveries: number }
type Waiter = { readonly upTo: Position; readonly done: () => void; readonly failed: (error: Error) => void }
type Seal = { readonly epoch: number; readonly data: string; readonly prev: Position }

/** What an entry costs beside its texts, roughly, in bytes. */
const ENTRY_OVERHEAD_BYTES = 200

/** One run's stream in memory: entries from append until they are acknowledged. Pure state, no timers. */
export class MemoryStream {
  top: Position
  /** The consumer that holds the lease. */
  owner: object | null = null
  #seal: Seal | undefined
  #entries: Held[] = []
  /** Entries before this index were handed out and wait for their ack. */
  #next = 0
  #waiters: Waiter[] = []
  #acked: Position
  #bytes = 0

  constructor(floor: Position) {
    this.top = floor
    this.#acked = floor
  }

  get length(): number {
    return this.#entries.length
  }

  /** The size of what is not acknowledged yet. */
  get bytes(): number {
    return this.#bytes
  }

  get hasWork(): boolean {
    return this.#entries.length > 0
  }

  /** The time of the oldest entry that was handed out and not acknowledged, in unix seconds. */
  get oldestPendingTs(): number | null {
    return this.#next > 0 ? must(this.#entries[0], 'pending entry').record.ts : null
  }

  /** Takes over the store's high-water mark: everything up to it is committed, whoever wrote it. */
  raise(floor: Position): void {
    if (comparePositions(floor, this.top) > 0) this.top = floor
    if (comparePositions(floor, this.#acked) > 0) this.#acked = floor
    this.#settle()
  }

  /** The rule of append; writes at once, says nothing about the commit. `full` turns what would be written into `busy`. */
  append(epoch: number, firstSeq: number, records: readonly RecordBody[], full: boolean): AppendAnswer {
    const verdict = judgeAppend(this.top, epoch, firstSeq, records.length)
    if (verdict.answer === 'gap' || verdict.answer === 'fenced') return { answer: verdict.answer, top: this.top }
    const skip = verdict.answer === 'ok' ? verdict.skip : records.length
    const covered = firstSeq === 1 && skip > 0 ? this.#seal : undefined
    if (covered && covered.data !== must(records[0], 'record').data) return { answer: 'fenced', top: this.top }
    if (verdict.answer === 'dup') return { answer: 'dup', top: this.top, ...(covered && { prev: covered.prev }) }
    if (full) return { answer: 'busy', top: this.top }
    const prev = firstSeq === 1 ? (covered?.prev ?? this.top) : undefined
    for (let i = skip; i < records.length; i++) this.#push(epoch, firstSeq + i, must(records[i], 'record'))
    return { answer: 'ok', top: this.top, ...(prev && { prev }) }
  }

  #push(epoch: number, seq: number, body: RecordBody): void {
    if (seq === 1) this.#seal = { epoch, data: body.data, prev: this.top }
    const data = seq === 1 ? sealData(body.data, this.top) : body.data
    const record = { epoch, seq, ts: body.ts, kind: body.kind, step: body.step === '' ? null : body.step, data }
    const bytes = data.length * 2 + ENTRY_OVERHEAD_BYTES
    this.#entries.push({ record, bytes, deliveries: 0 })
    this.#bytes += bytes
    this.top = { epoch, seq }
  }

  /** Resolves when everything up to `upTo` is acknowledged. */
  committed(upTo: Position): Promise<void> {
    if (comparePositions(this.#acked, upTo) >= 0) return Promise.resolve()
    return new Promise((done, failed) => this.#waiters.push({ upTo, done, failed }))
  }

  /** Hands out what was not handed out since `rewind`. */
  read(count: number): { readonly entries: StreamEntry[]; readonly more: boolean } {
    const end = Math.min(this.#next + count, this.#entries.length)
    const entries: StreamEntry[] = []
    for (; this.#next < end; this.#next++) {
      const held = must(this.#entries[this.#next], 'entry')
      held.deliveries++
      entries.push({ position: held.record, record: held.record, deliveries: held.deliveries })
    }
    return { entries, more: end < this.#entries.length }
  }

  /** Makes everything not acknowledged readable again: the next owner starts with what is pending. */
  rewind(): void {
    this.#next = 0
  }

  /** Drops what was handed out up to `upTo` and tells the appends that wait for it. Gives the bytes that became free. */
  ack(upTo: Position): number {
    const before = this.#bytes
    let done = 0
    while (done < this.#next) {
      const held = must(this.#entries[done], 'entry')
      if (comparePositions(held.record, upTo) > 0) break
      this.#bytes -= held.bytes
      if (comparePositions(held.record, this.#acked) > 0) this.#acked = held.record
      done++
    }
    this.#entries.splice(0, done)
    this.#next -= done
    this.#settle()
    return before - this.#bytes
  }

  #settle(): void {
    const ready = this.#waiters.filter((waiter) => comparePositions(this.#acked, waiter.upTo) >= 0)
    if (ready.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter))
    for (const waiter of ready) waiter.done()
  }

  /** Fails the appends that wait. */
  fail(reason: (upTo: string) => Error): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter.failed(reason(formatPosition(waiter.upTo)))
  }
}
