import { decodeEvent, encodeEvent, FencedError, ORIGIN, type EventRecord, type NewEvent, type Position, type RunEvent } from '@koco/core'
import type { EventPage, EventReader } from '@koco/storage'
import type { Producer } from '@koco/transport'

/** One run's events in memory: what stream and store are to a run, for tests without servers. What was emitted counts once it is flushed. */
export class Timeline {
  readonly fid: string
  readonly #records: EventRecord[] = []
  #writer: TimelineProducer | undefined

  constructor(fid: string) {
    this.fid = fid
  }

  get events(): readonly RunEvent[] {
    return this.#records.flatMap((record) => decodeEvent(this.fid, record) ?? [])
  }

  get top(): Position {
    const last = this.#records.at(-1)
    return last ? { epoch: last.epoch, seq: last.seq } : ORIGIN
  }

  /** The writer of the next epoch; the one before is fenced. `onEmit` sees each event as it is emitted. */
  producer(flow: string, onEmit: (event: NewEvent) => void = () => undefined): Producer {
    this.#writer?.fence()
    this.#writer = new TimelineProducer(this.#records, this.top, flow, onEmit)
    return this.#writer
  }

  /** What the death of the writing process does: what is not flushed is lost, and nothing answers any more. */
  crash(): void {
    this.#writer?.kill()
    this.#writer = undefined
  }

  get reader(): EventReader {
    return { read: async (_fid, { after, limit }) => this.#page(after, limit) }
  }

  #page(after: Position, limit: number): EventPage {
    const start = this.#records.findIndex(({ epoch, seq }) => epoch > after.epoch || (epoch === after.epoch && seq > after.seq))
    const records = start < 0 ? [] : this.#records.slice(start, start + limit)
    return { records, caughtUp: records.length < limit, scanned: records.at(-1) ?? after, lost: [] }
  }
}

class TimelineProducer implements Producer {
  readonly epoch: number
  readonly prev: Position
  readonly #stop = new AbortController()
  readonly #records: EventRecord[]
  readonly #flow: string
  readonly #onEmit: (event: NewEvent) => void
  #unflushed: EventRecord[] = []
  #seq = 0
  #dead = false

  constructor(records: EventRecord[], prev: Position, flow: string, onEmit: (event: NewEvent) => void) {
    this.#records = records
    this.prev = prev
    this.epoch = prev.epoch + 1
    this.#flow = flow
    this.#onEmit = onEmit
  }

  get stopped(): AbortSignal {
    return this.#stop.signal
  }

  emit(event: NewEvent): Position {
    this.stopped.throwIfAborted()
    this.#seq += 1
    const position = { epoch: this.epoch, seq: this.#seq }
    this.#unflushed.push({ ...encodeEvent(event, this.#flow), ...position })
    if (!this.#dead) this.#onEmit(event)
    return position
  }

  flush(): Promise<void> {
    if (this.#dead) return new Promise(() => undefined)
    if (this.stopped.aborted) return Promise.reject(this.stopped.reason)
    this.#records.push(...this.#unflushed)
    this.#unflushed = []
    return Promise.resolve()
  }

  async close(): Promise<void> {
    if (!this.#dead && !this.stopped.aborted) await this.flush()
  }

  fence(): void {
    this.#stop.abort(new FencedError('A later try writes this run.', { code: 'fenced' }))
  }

  kill(): void {
    this.#dead = true
  }
}
