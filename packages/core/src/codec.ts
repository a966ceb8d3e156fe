import type { EventData, EventKind, EventRecord, RunEvent } from './event.ts'
import { EVENT_BYTES_MAX, EVENT_KINDS } from './event.ts'
import { RefusedError } from './errors.ts'
import { parseJson, toJsonText } from './json.ts'
import { formatPosition } from './position.ts'

/** What a producer hands in; position is given by the producer that numbers it. */
export type NewEvent<K extends EventKind = EventKind> = {
  readonly kind: K
  readonly data: EventData[K]
  readonly ts: number
  readonly step?: string | undefined
}

/** The record body of a new event, made safe. RefusedError `event_too_large` names flow, step and size and says to use a file. */
export function encodeEvent(event: NewEvent, flow: string): Omit<EventRecord, 'epoch' | 'seq'> {
  const data = toJsonText(event.data)
  const bytes = data.length * 3 <= EVENT_BYTES_MAX ? 0 : utf8Length(data)
  if (bytes > EVENT_BYTES_MAX) {
    const where = event.step === undefined ? `flow "${flow}"` : `step "${event.step}" of flow "${flow}"`
    throw new RefusedError(
      `The ${event.kind} event of ${where} has ${bytes} bytes; the limit is ${EVENT_BYTES_MAX}. Write large data to a file (ctx.files) and emit its path.`,
      { code: 'event_too_large' },
    )
  }
  return { kind: event.kind, ts: event.ts, step: event.step ?? null, data }
}

/** The event that a record holds, or undefined for a kind that this version does not know. Throws SyntaxError on broken JSON. */
export function decodeEvent(fid: string, record: EventRecord): RunEvent | undefined {
  if (!isEventKind(record.kind)) return undefined
  const { epoch, seq, ts, kind, step } = record
  return { fid, epoch, seq, ts, kind, ...(step !== null && { step }), data: parseJson(record.data) } as RunEvent
}

/** The JSON text of an event as the API, the live tail and exports give it; one line. The data text goes in as it is. */
export function eventJson(fid: string, record: EventRecord): string {
  const { epoch, seq, ts, kind, step, data } = record
  const position = formatPosition(record)
  return `{"position":"${position}","fid":"${fid}","epoch":${epoch},"seq":${seq},"ts":${ts},"kind":${JSON.stringify(kind)},"step":${JSON.stringify(step)},"data":${data}}`
}

/** True for a kind of the closed list. */
export function isEventKind(text: string): text is EventKind {
  return (EVENT_KINDS as readonly string[]).includes(text)
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length
}
