import { contentOf, type EventRecord } from '@koco/core'
import type { ExecutionStore } from './port/execution-store.ts'

/** A row of `run_contents`: an event and the content that it names. */
export type NamedContent = {
  readonly fid: string
  readonly epoch: number
  readonly seq: number
  readonly hash: string
  readonly bytes: number
  readonly stored: number
}

const PAGE = 10_000
const DEAD_PAGE = 200
// What was set aside may be anything, also JSON in JSON.
const HASH_IN_TEXT = /sha256\W{1,8}([0-9a-f]{64})/g

/** What these records of a run name. */
export function namedContents(fid: string, records: readonly EventRecord[]): NamedContent[] {
  return records.flatMap((record) => {
    const content = contentOf(record)
    return content ? [{ fid, epoch: record.epoch, seq: record.seq, hash: content.sha256, bytes: content.bytes, stored: content.stored }] : []
  })
}

/** Every hash that a stored event names, or one that was set aside and may be stored yet. What waits in a stream is not among them. */
export async function contentsInUse({ contents, dead }: Pick<ExecutionStore, 'contents' | 'dead'>): Promise<ReadonlySet<string>> {
  const hashes = new Set<string>()
  for (let after = ''; ;) {
    const page = await contents.hashes(after, PAGE)
    for (const hash of page) hashes.add(hash)
    const last = page.at(-1)
    if (last === undefined) break
    after = last
  }
  for (let cursor: string | undefined; ;) {
    const page = await dead.list({ limit: DEAD_PAGE, ...(cursor !== undefined && { cursor }) })
    for (const { body } of page.items) for (const [, hash = ''] of body.matchAll(HASH_IN_TEXT)) hashes.add(hash)
    if (page.next === null) return hashes
    cursor = page.next
  }
}
