import { decodeEvent } from '../codec.ts'
import type { EventRecord } from '../event.ts'
import { isJsonObject, parseJson } from '../json.ts'
import { comparePositions, formatPosition, ORIGIN, parsePosition, type Position } from '../position.ts'

/** What is known of one run at the end of a test, as plain data. */
export type RunHistory = {
  readonly fid: string
  /** Every record whose append was acknowledged, as its producer numbered it. */
  readonly acknowledged: readonly EventRecord[]
  /** Every row of the store, fenced ones too, in the order of a plain scan. */
  readonly stored: readonly EventRecord[]
  /** What readers get of the run. */
  readonly timeline: readonly EventRecord[]
}

/**
 * A rule that a history breaks. `lost`: acknowledged, neither stored nor reported lost. `changed`: stored with other content. `twice`: a position
 * stored or shown twice. `hole`: a seq missing within an epoch or below its seal. `fenced`: shown although above its epoch's seal. `order`: shown out of key order.
 * `hidden`: stored, not fenced, not shown. `invented`: shown, not stored.
 */
export type Violation = {
  readonly rule: 'lost' | 'changed' | 'twice' | 'hole' | 'fenced' | 'order' | 'hidden' | 'invented'
  readonly position: string
  readonly note: string
}

type Hole = { readonly from: Position; readonly to: Position }
type Seals = { readonly isFenced: (position: Position) => boolean; readonly sealedAt: ReadonlyMap<number, number>; readonly reported: readonly Hole[] }

/** Judges the history of one run; no violation means: exactly once, in order, complete. */
export function checkRun(history: RunHistory): Violation[] {
  const seals = readSeals(history)
  return [
    ...checkAcknowledged(history, seals),
    ...checkTwice(history.stored, 'stored'),
    ...checkTwice(history.timeline, 'shown'),
    ...checkHoles(history.stored, seals),
    ...checkTimeline(history, seals),
  ]
}

/**
 * Follows the seals back from the newest epoch: each first event names the position below it. What is not on that chain is fenced: tails above a seal
 * and whole epochs that a later one passed over. Where a first event is missing the next lower epoch counts as unsealed.
 */
function readSeals({ fid, stored }: RunHistory): Seals {
  const firsts = new Map(stored.filter((record) => record.seq === 1).map((record) => [record.epoch, attemptOf(fid, record)]))
  const epochs = [...new Set(stored.map((record) => record.epoch))].sort((a, b) => b - a)
  const sealedAt = new Map<number, number>()
  const chain = new Set<number>()
  let below: Position | undefined
  for (const epoch of epochs) {
    if (below && epoch > below.epoch) continue
    if (below && below.seq > 0) sealedAt.set(below.epoch, below.seq)
    chain.add(epoch)
    below = firsts.get(epoch)?.prev
  }
  if (below && below.seq > 0) sealedAt.set(below.epoch, below.seq)
  const isFenced = ({ epoch, seq }: Position) => !chain.has(epoch) || seq > (sealedAt.get(epoch) ?? Number.MAX_SAFE_INTEGER)
  return { isFenced, sealedAt, reported: [...firsts.values()].flatMap((first) => first?.lost ?? []) }
}

function attemptOf(fid: string, record: EventRecord): { readonly prev: Position | undefined; readonly lost: Hole | undefined } | undefined {
  const event = decodeEvent(fid, record)
  if (event?.kind !== 'attempt') return undefined
  const { prev, lost } = event.data
  const from = parsePosition(lost?.from ?? '')
  const to = parsePosition(lost?.to ?? '')
  return { prev: parsePosition(prev ?? ''), lost: from && to ? { from, to } : undefined }
}

function checkAcknowledged({ acknowledged, stored }: RunHistory, { reported }: Seals): Violation[] {
  const rows = new Map(stored.map((record) => [formatPosition(record), record]))
  return acknowledged.flatMap((record): Violation[] => {
    const row = rows.get(formatPosition(record))
    if (!row) return isReported(record, reported) ? [] : [violation('lost', record, `${record.kind} was acknowledged and is not stored`)]
    return sameContent(record, row) ? [] : [violation('changed', record, `acknowledged ${bodyText(record)}, stored ${bodyText(row)}`)]
  })
}

/** Equal but for the seal, which the append adds to a first event. */
function sameContent(sent: EventRecord, row: EventRecord): boolean {
  return bodyText(sent) === bodyText(row) || (sent.seq === 1 && bodyText(withoutSeal(sent)) === bodyText(withoutSeal(row)))
}

function withoutSeal(record: EventRecord): EventRecord {
  const data = parseJson(record.data)
  if (!isJsonObject(data)) return record
  const { prev: _, ...rest } = data
  return { ...record, data: JSON.stringify(rest) }
}

function bodyText({ kind, ts, step, data }: EventRecord): string {
  return JSON.stringify([kind, ts, step, data])
}

function checkTwice(records: readonly EventRecord[], verb: string): Violation[] {
  const seen = new Set<string>()
  return records.flatMap((record) => {
    const position = formatPosition(record)
    if (seen.has(position)) return [violation('twice', record, `${verb} more than once`)]
    seen.add(position)
    return []
  })
}

function checkHoles(stored: readonly EventRecord[], { sealedAt, reported, isFenced }: Seals): Violation[] {
  const seqs = Map.groupBy(
    stored.filter((record) => !isFenced(record)),
    (record) => record.epoch,
  )
  for (const epoch of sealedAt.keys()) if (!seqs.has(epoch)) seqs.set(epoch, [])
  return [...seqs].flatMap(([epoch, records]) => {
    const present = new Set(records.map((record) => record.seq))
    const last = sealedAt.get(epoch) ?? Math.max(...present)
    const missing = Array.from({ length: last }, (_, index) => ({ epoch, seq: index + 1 })).filter(({ seq }) => !present.has(seq))
    return missing.filter((position) => !isReported(position, reported)).map((position) => violation('hole', position, `epoch ${epoch} has ${last} events`))
  })
}

function checkTimeline({ stored, timeline }: RunHistory, { isFenced }: Seals): Violation[] {
  const rows = new Map(stored.map((record) => [formatPosition(record), record]))
  const shown = new Set(timeline.map(formatPosition))
  const perRecord = timeline.flatMap((record, index): Violation[] => {
    const row = rows.get(formatPosition(record))
    const before = timeline[index - 1] ?? ORIGIN
    return [
      ...(isFenced(record) ? [violation('fenced', record, 'shown although above the seal of its epoch')] : []),
      ...(comparePositions(record, before) < 0 ? [violation('order', record, `shown after ${formatPosition(before)}`)] : []),
      ...(row ? [] : [violation('invented', record, 'shown, not stored')]),
      ...(row && bodyText(row) !== bodyText(record) ? [violation('changed', record, `stored ${bodyText(row)}, shown ${bodyText(record)}`)] : []),
    ]
  })
  const hidden = stored.filter((record) => !isFenced(record) && !shown.has(formatPosition(record)))
  return [...perRecord, ...hidden.map((record) => violation('hidden', record, `${record.kind} is stored and not shown`))]
}

function isReported(position: Position, reported: readonly Hole[]): boolean {
  return reported.some(({ from, to }) => comparePositions(from, position) <= 0 && comparePositions(position, to) <= 0)
}

function violation(rule: Violation['rule'], position: Position, note: string): Violation {
  return { rule, position: formatPosition(position), note: note.slice(0, 500) }
}
