import { comparePositions, contentOf, type EventRecord, type Position } from '@koco/core'
import type { Contents } from '@koco/flow'
import type { EventPage, EventReader } from '@koco/storage'

/** What a search looks for, and from where on. */
export type LargeSearch = { readonly fid: string; readonly after: Position; readonly q: string; readonly limit: number }

/** `unsearched`: large results among what was looked through that were too much to look into, or could not be read. */
export type SearchedPage = Pick<EventPage, 'records' | 'scanned' | 'caughtUp'> & { readonly unsearched: number }

/** How much of large results one page looks into; raw bytes. */
const BYTES_MAX = 16 * 1024 * 1024
const PAGE = 500

/** Adds to a page of found events the steps whose large results have the words, as far as they can be looked into for one page. */
export async function searchLarge(reader: EventReader, contents: Pick<Contents, 'read'>, search: LargeSearch, page: EventPage): Promise<SearchedPage> {
  const words = JSON.stringify(search.q.toLowerCase()).slice(1, -1)
  const found = new Set(page.records.map(keyOf))
  const more: EventRecord[] = []
  const passed: EventRecord[] = []
  let left = BYTES_MAX
  for await (const record of largeSteps(reader, search, page.scanned)) {
    const content = contentOf(record)
    if (!content || found.has(keyOf(record))) continue
    const fits = content.bytes <= left
    if (fits) left -= content.bytes
    const text = fits ? await contents.read(content).catch(() => undefined) : undefined
    if (text === undefined) passed.push(record)
    else if (text.toLowerCase().includes(words)) more.push(record)
  }
  const records = [...page.records, ...more].toSorted(comparePositions)
  const last = records[search.limit - 1]
  if (records.length <= search.limit || !last) return { ...page, records, unsearched: passed.length }
  const unsearched = passed.filter((record) => comparePositions(record, last) <= 0).length
  return { records: records.slice(0, search.limit), scanned: { epoch: last.epoch, seq: last.seq }, caughtUp: false, unsearched }
}

/** The steps of a stretch of a timeline. */
async function* largeSteps(reader: EventReader, { fid, after }: LargeSearch, upTo: Position): AsyncGenerator<EventRecord> {
  for (let from = after; ;) {
    const page = await reader.read(fid, { after: from, limit: PAGE, kinds: ['step'] })
    for (const record of page.records) {
      if (comparePositions(record, upTo) > 0) return
      yield record
    }
    if (page.caughtUp || comparePositions(page.scanned, upTo) >= 0) return
    from = page.scanned
  }
}

function keyOf({ epoch, seq }: EventRecord): string {
  return `${epoch}-${seq}`
}
