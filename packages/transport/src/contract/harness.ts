import { randomBytes } from 'node:crypto'
import { newFid, ORIGIN, type EventRecord, type Position } from '@koco/core'
import type { RecordBody, StreamBatch, StreamConsumer, Transport } from '../port.ts'

/** A transport under test. `wipe` forgets a stream as a lost Redis does. */
export type TransportUnderTest = {
  readonly transport: Transport
  /** How many entries of a run may wait before appends are `busy`. */
  readonly backlogMax: number
  readonly wipe: (fid: string) => Promise<void>
  readonly close: () => Promise<void>
}

/** Opens a fresh, empty transport. */
export type OpenTransport = () => Promise<TransportUnderTest>

/** A new run id. */
export function anyFid(): string {
  return newFid(Date.now(), randomBytes(8))
}

/** The first record of an epoch. `owner` tells writers apart. */
export function attempt(owner = 'worker-1'): RecordBody {
  return { kind: 'attempt', ts: 1_700_000_000.25, step: null, data: JSON.stringify({ attempt: 1, reason: 'start', owner }) }
}

/** A record with a text. */
export function line(text: string, step: string | null = null): RecordBody {
  return { kind: 'stdout', ts: 1_700_000_001.5, step, data: JSON.stringify({ text }) }
}

/** The first records of an epoch: the attempt, then `lines` lines. */
export function opening(lines: number, owner?: string): RecordBody[] {
  return [attempt(owner), ...Array.from({ length: lines }, (_, i) => line(`line ${i + 2}`))]
}

/** A committed store in small: acknowledges whatever comes, and keeps it. Ends with `stop`. */
export class CommittingConsumer {
  readonly stored = new Map<string, EventRecord[]>()
  readonly #consumer: StreamConsumer
  readonly #loop: Promise<void>
  #stopping = false
  #waiting = false

  constructor(consumer: StreamConsumer) {
    this.#consumer = consumer
    this.#loop = this.#run()
  }

  /** What is stored of a run, in the order of arrival, without what came twice. */
  records(fid: string): EventRecord[] {
    return this.stored.get(fid) ?? []
  }

  top(fid: string): Position {
    const records = this.records(fid)
    return records.reduce<Position>((top, record) => (record.epoch > top.epoch || (record.epoch === top.epoch && record.seq > top.seq) ? record : top), ORIGIN)
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#waiting = true
      const fids = await this.#consumer.acquire(64, 1000)
      this.#waiting = false
      if (fids.length === 0) continue
      await this.#drain(fids)
      await this.#consumer.release(fids)
    }
  }

  async #drain(fids: readonly string[]): Promise<void> {
    for (;;) {
      const batches = await this.#consumer.read(fids, 100)
      const full = batches.filter((batch) => batch.entries.length > 0)
      for (const batch of full) this.#store(batch)
      await this.#consumer.ack(full.map(endOf))
      if (full.length === 0) return
    }
  }

  #store({ fid, entries }: StreamBatch): void {
    const records = this.records(fid)
    this.stored.set(fid, records)
    for (const { record } of entries) {
      if (record && !records.some((known) => known.epoch === record.epoch && known.seq === record.seq)) records.push(record)
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    // What is being committed is committed first: a closed consumer acknowledges nothing.
    if (!this.#waiting) await this.#loop
    await this.#consumer.close()
    await this.#loop
  }
}

/** What acknowledges a whole batch. */
export function endOf(batch: StreamBatch): { fid: string; upTo: Position } {
  return { fid: batch.fid, upTo: batch.entries.at(-1)?.position ?? ORIGIN }
}

/** The positions of a batch as text. */
export function positions(batch: StreamBatch | undefined): string[] {
  return (batch?.entries ?? []).map(({ position }) => `${position.epoch}-${position.seq}`)
}
