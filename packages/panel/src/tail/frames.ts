import type { EventRecord, Position } from '@koco/core'
import { comparePositions, eventJson, formatPosition, isEnded, isEventKind, isJsonObject, isRunStatus, parseJson, parsePosition } from '@koco/core'
import type { EventPage } from '@koco/storage'

/** Frames ready to send, the position after the last of them, and whether the last record says that the run is over. */
export type Chunk = { readonly frames: Buffer; readonly last: Position; readonly caughtUp: boolean; readonly ending: boolean }

/** One event as a live frame: `id:` its position, `event:` its kind, one line of JSON. */
export function eventFrame(fid: string, record: EventRecord): string {
  const json = eventJson(fid, record)
  // JSON text holds line breaks only between its tokens; a frame is one line.
  const line = json.includes('\n') || json.includes('\r') ? json.replace(/[\r\n]+/g, ' ') : json
  const kind = isEventKind(record.kind) ? record.kind : record.kind.replace(/[^\w.-]/g, '_')
  return `id: ${formatPosition(record)}\nevent: ${kind}\ndata: ${line}\n\n`
}

/** A frame about the stream itself. It has no id, so a client's cursor does not move. */
export function controlFrame(event: 'gap' | 'reset' | 'end' | 'delta' | 'ready' | 'run', data: unknown): Buffer {
  return Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}

/** A comment that keeps the connection open. */
export function commentFrame(text: string): Buffer {
  return Buffer.from(`: ${text}\n\n`)
}

/** Tells the client how long to wait before it connects again. */
export function retryFrame(ms: number): Buffer {
  return Buffer.from(`retry: ${ms}\n\n`)
}

/** The frames of a page that was read after `after`: its events, a `gap` before each declared hole's end, a `reset` where a new epoch takes back what was shown. */
export function chunkOf(fid: string, after: Position, page: EventPage): Chunk {
  const parts: string[] = []
  let before = after
  for (const record of page.records) {
    const lost = page.lost.find((hole) => comparePositions(hole.to, before) > 0 && comparePositions(hole.to, record) < 0)
    if (lost) parts.push(controlFrame('gap', { from: formatPosition(lost.from), to: formatPosition(lost.to) }).toString())
    const back = takenBack(record, before)
    if (back) parts.push(controlFrame('reset', { after: formatPosition(back), reason: 'superseded' }).toString())
    parts.push(eventFrame(fid, record))
    before = record
  }
  const tail = page.records.at(-1)
  return {
    frames: Buffer.from(parts.join('')),
    last: { epoch: before.epoch, seq: before.seq },
    caughtUp: page.caughtUp,
    ending: tail !== undefined && endsRun(tail),
  }
}

/** The position back to which a new epoch's seal disowns what was sent before it, or undefined: nearly always. */
function takenBack(record: EventRecord, before: Position): Position | undefined {
  if (record.kind !== 'attempt' || record.seq !== 1) return undefined
  const data = parseJson(record.data)
  const prev = isJsonObject(data) && typeof data['prev'] === 'string' ? parsePosition(data['prev']) : undefined
  return prev && comparePositions(prev, before) < 0 ? prev : undefined
}

function endsRun(record: EventRecord): boolean {
  if (record.kind !== 'status') return false
  const data = parseJson(record.data)
  const status = isJsonObject(data) ? data['status'] : undefined
  return isRunStatus(status) && isEnded(status)
}
