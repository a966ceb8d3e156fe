import type { Position } from '@koco/core'
import type { ConsumerStatus, StreamBatch, StreamConsumer } from '../port.ts'
import type { MemoryHub } from './hub.ts'
import type { MemoryStream } from './stream.ts'

/** The spooler's side over memory. A lease is a reference: it ends with the consumer or the process. */
export class MemoryConsumer implements StreamConsumer {
  readonly name: string
  readonly #hub: MemoryHub
  readonly #clock: () => number
  readonly #held = new Map<string, MemoryStream>()
  readonly #stop = new AbortController()

  constructor(name: string, hub: MemoryHub, clock: () => number) {
    this.name = name
    this.#hub = hub
    this.#clock = clock
  }

  async acquire(max: number, waitMs: number): Promise<string[]> {
    const end = performance.now() + waitMs
    for (;;) {
      if (this.#stop.signal.aborted) return []
      const taken = this.#hub.take(this, max)
      for (const fid of taken) this.#hold(fid)
      const left = end - performance.now()
      if (taken.length > 0 || left <= 0) return taken
      await this.#hub.nextHint(left, this.#stop.signal)
    }
  }

  #hold(fid: string): void {
    const stream = this.#hub.streams.get(fid)
    if (stream) this.#held.set(fid, stream)
  }

  async read(fids: readonly string[], countEach: number): Promise<StreamBatch[]> {
    return fids.flatMap((fid) => {
      const stream = this.#held.get(fid)
      return stream ? [{ fid, ...stream.read(countEach) }] : []
    })
  }

  async ack(done: readonly { readonly fid: string; readonly upTo: Position }[]): Promise<void> {
    for (const { fid, upTo } of done) {
      const stream = this.#held.get(fid)
      if (stream) this.#hub.bytes -= stream.ack(upTo)
    }
  }

  async release(fids: readonly string[], _again = false): Promise<void> {
    this.#letGo(fids)
  }

  #letGo(fids: readonly string[]): void {
    for (const fid of fids) {
      const stream = this.#held.get(fid)
      if (!stream) continue
      this.#held.delete(fid)
      stream.owner = null
      if (stream.hasWork) this.#hub.hint(fid)
    }
  }

  /** In memory a lease ends with its holder only. */
  async renew(_fids: readonly string[]): Promise<string[]> {
    return []
  }

  async sweep(): Promise<number> {
    let hinted = 0
    for (const [fid, stream] of this.#hub.streams) {
      if (stream.owner || !stream.hasWork) continue
      this.#hub.hint(fid)
      hinted++
    }
    return hinted
  }

  /** In memory there is nothing to look at afterwards: the stream goes at once, unless a retry has written to it. */
  async expire(fids: readonly string[]): Promise<void> {
    for (const fid of fids) {
      const stream = this.#hub.streams.get(fid)
      if (!stream || stream.hasWork) continue
      this.#hub.streams.delete(fid)
      this.#held.delete(fid)
    }
  }

  async status(): Promise<ConsumerStatus[]> {
    const streams = [...this.#hub.streams.values()]
    const consumers = new Set(streams.map((stream) => stream.owner).filter((owner): owner is MemoryConsumer => owner instanceof MemoryConsumer))
    consumers.add(this)
    const unowned = streams.filter((stream) => !stream.owner && stream.hasWork)
    const owned = [...consumers].map((consumer) => this.#statusOf(consumer.name, [...consumer.#held.values()]))
    return unowned.length > 0 ? [...owned, this.#statusOf('', unowned)] : owned
  }

  #statusOf(name: string, streams: readonly MemoryStream[]): ConsumerStatus {
    const lag = streams.reduce((sum, stream) => sum + stream.length, 0)
    const oldest = streams.flatMap((stream) => stream.oldestPendingTs ?? []).sort((a, b) => a - b)[0]
    return { name, streams: streams.length, lag, oldestPendingMs: oldest === undefined ? null : Math.max(0, this.#clock() - oldest * 1000) }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#letGo([...this.#held.keys()])
  }
}
