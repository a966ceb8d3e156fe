import type { EventRecord, Position } from '@koco/core'
import { comparePositions, isFid, must, ORIGIN } from '@koco/core'
import type { Pool, PoolClient } from 'pg'
import { clampLimit } from '../cursor.ts'
import type { EventPage, EventQuery, EventReader } from '../port/events.ts'
import { searchInJson } from '../search.ts'
import { toRecord, type StoredEvent } from './event-rows.ts'
import { run, type Statement } from './statements.ts'
import { inPipeline } from './transaction.ts'

type FoundEvent = Omit<StoredEvent, 'message'> & { readonly message: string | null }
type HoleRow = { readonly from_epoch: number; readonly from_seq: number; readonly to_epoch: number; readonly to_seq: number }

const PAGE_BYTES_MAX = 1024 * 1024
/** Events that one filtered read looks at. */
const SCANNED_MAX = 20_000
const END: Position = { epoch: Number.MAX_SAFE_INTEGER, seq: Number.MAX_SAFE_INTEGER }

// Of the timeline are: the epoch that stands, up to the run's last position, and closed epochs up to their seals, but for what turned up in a hole that was declared lost.
// A page holds at least one event and at most about a MiB: what lies beyond comes without its message, to say that it is there.
const eventsStatement = (name: string, filter: string): Statement => ({
  name: `read_${name}`,
  text: `select epoch, seq, timestamp, kind, step, case when bytes_before < ${PAGE_BYTES_MAX} then message end as message from (
    select e.epoch, e.seq, e.timestamp, e.kind, e.step, e.message, sum(octet_length(e.message)) over (order by e.epoch, e.seq) - octet_length(e.message) as bytes_before
    from execution_events e, (select last_epoch, last_seq from runs where fid = $1) r
    where e.fid = $1 and (e.epoch, e.seq) > ($2::bigint, $3::bigint) and (e.epoch, e.seq) <= ($4::bigint, $5::bigint) and (e.epoch, e.seq) <= (r.last_epoch, r.last_seq)
      and (e.epoch = r.last_epoch or exists (select 1 from run_epochs c where c.fid = $1 and c.epoch = e.epoch and e.seq <= c.last_seq))
      and not exists (select 1 from run_holes h where h.fid = $1 and (e.epoch, e.seq) between (h.from_epoch, h.from_seq) and (h.to_epoch, h.to_seq))
      ${filter}
    order by e.epoch, e.seq limit $6) page order by epoch, seq`,
})

// ASCII in lower case is found in `lower(message)`, which in byte order costs little; other letters need a pattern.
const EVENTS = eventsStatement('events', '')
const KINDS = eventsStatement('kinds', 'and e.kind = any($7::text[])')
const ASCII = eventsStatement('ascii', 'and position($7 in lower(e.message)) > 0')
const PATTERN = eventsStatement('pattern', 'and e.message ~ $7')
const KINDS_AND_ASCII = eventsStatement('kinds_and_ascii', 'and e.kind = any($7::text[]) and position($8 in lower(e.message)) > 0')
const KINDS_AND_PATTERN = eventsStatement('kinds_and_pattern', 'and e.kind = any($7::text[]) and e.message ~ $8')

const TOP: Statement = { name: 'read_top', text: 'select last_epoch as epoch, last_seq as seq from runs where fid = $1' }

const HOLES: Statement = {
  name: 'read_holes',
  text: 'select from_epoch, from_seq, to_epoch, to_seq from run_holes where fid = $1 and (to_epoch, to_seq) > ($2::bigint, $3::bigint) order by from_epoch, from_seq',
}

/** Where a filtered read stops looking. */
const BOUND: Statement = {
  name: 'read_bound',
  text: `select epoch, seq from execution_events where fid = $1 and (epoch, seq) > ($2::bigint, $3::bigint) order by epoch, seq offset ${SCANNED_MAX - 1} limit 1`,
}

/** Reads timelines, one round trip a page, two when it filters. */
export function createPostgresReader(pool: Pool): EventReader {
  return {
    async read(fid, query) {
      if (!isFid(fid)) return { records: [], scanned: query.after, caughtUp: true, lost: [] }
      const client = await pool.connect()
      try {
        return await readPage(client, fid, query)
      } finally {
        client.release()
      }
    },
  }
}

async function readPage(client: PoolClient, fid: string, { after, limit, kinds, q }: EventQuery): Promise<EventPage> {
  const count = clampLimit(limit)
  const cursor = [fid, after.epoch, after.seq]
  const { statement, filters } = choose(kinds, q)
  const [bound = END] = filters.length === 0 ? [] : await run<Position>(client, BOUND, cursor)
  // The top first: what is committed between the two statements is then in the page and not passed over.
  const [[top = ORIGIN], rows, holes] = await inPipeline(client, () => [
    run<Position>(client, TOP, [fid]),
    run<FoundEvent>(client, statement, [...cursor, bound.epoch, bound.seq, count + 1, ...filters]),
    run<HoleRow>(client, HOLES, cursor),
  ])
  const records = rows.slice(0, count).filter(hasMessage).map(toRecord)
  const page =
    records.length < rows.length ? { records, scanned: must(records.at(-1), 'first event of a page'), caughtUp: false } : lastPage(records, after, top, bound)
  const { epoch, seq } = page.scanned
  return { ...page, scanned: { epoch, seq }, lost: holes.map(toHole).filter((hole) => comparePositions(hole.from, page.scanned) < 0) }
}

function choose(kinds: readonly string[] | undefined, q: string | undefined): { readonly statement: Statement; readonly filters: readonly unknown[] } {
  if (!q) return kinds ? { statement: KINDS, filters: [kinds] } : { statement: EVENTS, filters: [] }
  const text = searchInJson(q)
  const isAscii = Buffer.byteLength(text) === text.length
  const wanted = isAscii ? text : anyCasePattern(text)
  if (!kinds) return { statement: isAscii ? ASCII : PATTERN, filters: [wanted] }
  return { statement: isAscii ? KINDS_AND_ASCII : KINDS_AND_PATTERN, filters: [kinds, wanted] }
}

/** Nothing that matches follows up to the run's end, or up to where the search stopped. */
function lastPage(records: readonly EventRecord[], after: Position, top: Position, bound: Position): Omit<EventPage, 'lost'> {
  if (comparePositions(bound, top) < 0) return { records, scanned: bound, caughtUp: false }
  const last = records.at(-1) ?? after
  return { records, scanned: comparePositions(last, top) < 0 ? top : last, caughtUp: true }
}

function hasMessage(row: FoundEvent): row is StoredEvent {
  return row.message !== null
}

function toHole(row: HoleRow): EventPage['lost'][number] {
  return { from: { epoch: row.from_epoch, seq: row.from_seq }, to: { epoch: row.to_epoch, seq: row.to_seq } }
}

/** A pattern that finds this text in any case. Each letter becomes a pair: whether Postgres knows the other case of “ä” depends on the database's language. */
export function anyCasePattern(text: string): string {
  return Array.from(text, (char) => {
    const upper = char.toUpperCase()
    if (upper !== char && upper.length === char.length) return `[${char}${upper}]`
    return /[!-/:-@[-`{-~]/.test(char) ? `\\${char}` : char
  }).join('')
}
