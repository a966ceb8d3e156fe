import { comparePositions } from '@koco/core'
import type { Redis } from 'ioredis'
import type { StreamBatch, StreamEntry } from '../port.ts'
import { parseEntry, positionOf, type RawEntry } from './entry.ts'
import type { Hold } from './hold.ts'

type Page = { readonly ids: string[]; readonly entries: StreamEntry[]; readonly more: boolean }
type PendingRow = readonly [id: string, consumer: string, idleMs: number, deliveries: number]
type Claimed = readonly [cursor: string, entries: readonly RawEntry[], deleted?: readonly string[]]

/** Keys of one XREADGROUP: its cost to Redis grows with them. */
const KEYS_MAX = 512

/** Reads streams as a member of the group. Throws what ioredis throws; the consumer converts. */
export class GroupReader {
  readonly #group: string
  readonly #consumer: string

  constructor(group: string, consumer: string) {
    this.#group = group
    this.#consumer = consumer
  }

  /** The next entries of each stream, at most `count`: pending ones first. The order of the batches is that of the streams. */
  async read(redis: Redis, holds: readonly Hold[], count: number): Promise<StreamBatch[]> {
    const pages = new Map<Hold, Page>()
    const recovering = holds.filter((hold) => hold.recoverFrom !== null)
    if (recovering.length > 0) await this.#recover(redis, recovering, count, pages)
    const fresh = holds.filter((hold) => !pages.has(hold))
    for (let i = 0; i < fresh.length; i += KEYS_MAX) await this.#readNew(redis, fresh.slice(i, i + KEYS_MAX), count, pages)
    return holds.map((hold) => this.#handOut(hold, pages.get(hold)))
  }

  #handOut(hold: Hold, page: Page | undefined): StreamBatch {
    if (!page) return { fid: hold.fid, entries: [], more: false }
    hold.noteRead(page.ids, page.entries)
    return { fid: hold.fid, entries: page.entries, more: page.more }
  }

  /** Claims a page of what is pending in the group, whoever's it was: the lease says that nobody is at it. Streams with nothing pending get no page. */
  async #recover(redis: Redis, holds: readonly Hold[], count: number, pages: Map<Hold, Page>): Promise<void> {
    await Promise.all(
      holds.map(async (hold) => {
        const from = hold.recoverFrom ?? '0-0'
        const [rows, claimed] = await this.#claim(redis, hold, from, count)
        hold.recoverFrom = claimed[0] === '0-0' ? null : claimed[0]
        const page = recoveredPage(rows, claimed)
        if (page.ids.length > 0) pages.set(hold, page)
      }),
    )
  }

  async #claim(redis: Redis, hold: Hold, from: string, count: number): Promise<[readonly PendingRow[], Claimed]> {
    try {
      const [rows, claimed] = await Promise.all([
        redis.xpending(hold.key, this.#group, from, '+', count),
        redis.xautoclaim(hold.key, this.#group, this.#consumer, 0, from, 'COUNT', count),
      ])
      return [rows as unknown as readonly PendingRow[], claimed as unknown as Claimed]
    } catch (error) {
      // A group that is gone has nothing pending; it is made again by the read that follows.
      if (isNoGroup(error)) return [[], ['0-0', []]]
      throw error
    }
  }

  async #readNew(redis: Redis, holds: readonly Hold[], count: number, pages: Map<Hold, Page>): Promise<void> {
    if (holds.length === 0) return
    const reply = await this.#xreadgroup(redis, holds, count)
    const byKey = new Map(holds.map((hold) => [hold.key, hold]))
    for (const [key, raws] of streamsOf(reply)) {
      const hold = byKey.get(key)
      if (hold) pages.set(hold, { ids: raws.map((raw) => raw[0]), entries: raws.map((raw) => parseEntry(raw, 1)), more: raws.length === count })
    }
  }

  async #xreadgroup(redis: Redis, holds: readonly Hold[], count: number): Promise<unknown> {
    try {
      return await this.#send(redis, holds, count)
    } catch (error) {
      if (!isNoGroup(error)) throw error
      const alive = await this.#restoreGroups(redis, holds)
      return alive.length > 0 ? this.#send(redis, alive, count) : null
    }
  }

  #send(redis: Redis, holds: readonly Hold[], count: number): Promise<unknown> {
    const keys = holds.map((hold) => hold.key)
    const after = keys.map(() => '>')
    return redis.call('XREADGROUP', 'GROUP', this.#group, this.#consumer, 'COUNT', count, 'STREAMS', ...keys, ...after)
  }

  /** Makes missing groups again, from the start of their streams: duplicates, never a loss. Gives the streams that exist. */
  async #restoreGroups(redis: Redis, holds: readonly Hold[]): Promise<Hold[]> {
    const alive = await Promise.all(
      holds.map(async (hold) => {
        try {
          await redis.xgroup('CREATE', hold.key, this.#group, '0')
        } catch (error) {
          const text = error instanceof Error ? error.message : ''
          if (text.includes('requires the key to exist')) return []
          if (!text.startsWith('BUSYGROUP')) throw error
        }
        return [hold]
      }),
    )
    return alive.flat()
  }
}

function isNoGroup(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOGROUP')
}

/** XREADGROUP's reply is a list of pairs under RESP2 and a flat list under RESP3. */
function streamsOf(reply: unknown): [string, readonly RawEntry[]][] {
  if (!Array.isArray(reply)) return []
  if (Array.isArray(reply[0])) return reply
  const pairs: [string, readonly RawEntry[]][] = []
  for (let i = 0; i + 1 < reply.length; i += 2) pairs.push([reply[i], reply[i + 1]])
  return pairs
}

function recoveredPage(rows: readonly PendingRow[], [cursor, claimed, deleted = []]: Claimed): Page {
  const deliveries = new Map(rows.map((row) => [row[0], row[3] + 1]))
  const trimmed = deleted.map((id): RawEntry => [id, null])
  const raws = [...claimed, ...trimmed].sort((a, b) => comparePositions(positionOf(a[0]), positionOf(b[0])))
  const entries = raws.map((raw) => parseEntry(raw, deliveries.get(raw[0]) ?? 1))
  // More is assumed: behind the pending entries new ones may wait.
  return { ids: raws.map((raw) => raw[0]), entries, more: cursor !== '0-0' || entries.length > 0 }
}
