import { must } from '@koco/core'
import type { Redis } from 'ioredis'
import type { ConsumerStatus } from '../port.ts'
import { statusScript } from './consumer-scripts.ts'
import type { RedisKeys } from './keys.ts'

/** Runs a script looks at in one go, so that it holds Redis for about a millisecond. */
const PAGE = 500
/** A consumer that was not seen for so long is not listed. */
const PRESENT_MS = 30_000

type Row = readonly [owner: string, lag: number, idleMs: number]

/** The runs of the active set, page by page. */
export async function* activePages(redis: Redis, active: string): AsyncGenerator<string[]> {
  let cursor = '0'
  do {
    const [next, fids] = await redis.sscan(active, cursor, 'COUNT', PAGE)
    cursor = next
    for (let i = 0; i < fids.length; i += PAGE) yield fids.slice(i, i + PAGE)
  } while (cursor !== '0')
}

/** How far each consumer stands; streams with backlog that nobody holds are listed under the name ''. */
export async function consumerStatus(redis: Redis, keys: RedisKeys, group: string, now: number): Promise<ConsumerStatus[]> {
  const present = await redis.zrangebyscore(keys.consumers, now - PRESENT_MS, '+inf')
  const byName = new Map<string, ConsumerStatus>(present.map((name) => [name, emptyStatus(name)]))
  for await (const fids of activePages(redis, keys.active)) {
    const reply = await statusScript.run(redis, [...fids.map(keys.lease), ...fids.map(keys.stream)], [group])
    for (const row of reply as Row[]) addRow(byName, row)
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function addRow(byName: Map<string, ConsumerStatus>, [owner, lag, idleMs]: Row): void {
  if (owner === '' && lag === 0) return
  const name = ownerName(owner)
  const known = byName.get(name) ?? emptyStatus(name)
  const oldestPendingMs = idleMs < 0 ? known.oldestPendingMs : Math.max(known.oldestPendingMs ?? 0, idleMs)
  byName.set(name, { name, streams: known.streams + 1, lag: known.lag + lag, oldestPendingMs })
}

function emptyStatus(name: string): ConsumerStatus {
  return { name, streams: 0, lag: 0, oldestPendingMs: null }
}

/** The lease token of a consumer: its name and what tells this process from an earlier one. */
export function leaseToken(name: string, unique: string): string {
  return `${name}#${unique}`
}

function ownerName(token: string): string {
  return token === '' ? '' : must(token.slice(0, token.lastIndexOf('#')), 'name')
}
