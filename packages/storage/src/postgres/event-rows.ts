import type { EventRecord } from '@koco/core'
import type { Client } from 'pg'
import { bigintArray, doubleArray, textArray } from './binary-array.ts'
import { copyEvents, type RunEvents } from './copy-in.ts'
import { INSERT_MISSING, INSERT_NEW, READ_ABOVE, READ_AT, run } from './statements.ts'
import type { Position } from '@koco/core'

/** From so many events on COPY costs less: less an event, but it cannot be prepared, which costs 0.1 ms a write. */
const COPIED_MIN = 100

/** An event and where it goes. */
export type EventRow = { readonly fid: string; readonly user: string; readonly record: EventRecord }

/** A place in a run. */
export type Place = { readonly fid: string } & Position

/** A row of `execution_events`, as far as readers want it. */
export type StoredEvent = {
  readonly fid: string
  readonly epoch: number
  readonly seq: number
  readonly timestamp: number
  readonly kind: string
  readonly step: string | null
  readonly message: string
}

/** Stores events that are known to be new; a place that is taken fails the statement. */
export async function insertNew(client: Client, runs: readonly RunEvents[]): Promise<void> {
  const count = runs.reduce((sum, { records }) => sum + records.length, 0)
  if (count >= COPIED_MIN) await copyEvents(client, runs)
  else if (count > 0) await run(client, INSERT_NEW, columns(runs.flatMap(({ fid, user, records }) => records.map((record) => ({ fid, user, record })))))
}

/** Stores those events whose places are free, and gives these places. */
export async function insertMissing(client: Client, rows: readonly EventRow[]): Promise<Place[]> {
  return await run<Place>(client, INSERT_MISSING, columns(rows))
}

/** The events at these places. */
export async function readAt(client: Client, places: readonly Place[]): Promise<StoredEvent[]> {
  return await run<StoredEvent>(client, READ_AT, placeColumns(places))
}

/** All events above each of these places, in position order. */
export async function readAbove(client: Client, places: readonly Place[]): Promise<StoredEvent[]> {
  return await run<StoredEvent>(client, READ_ABOVE, placeColumns(places))
}

/** The event of a row. */
export function toRecord({ epoch, seq, timestamp, kind, step, message }: StoredEvent): EventRecord {
  return { epoch, seq, ts: timestamp, kind, step, data: message }
}

function columns(rows: readonly EventRow[]): Buffer[] {
  return [
    textArray(rows.map((row) => row.fid)),
    bigintArray(rows.map((row) => row.record.epoch)),
    bigintArray(rows.map((row) => row.record.seq)),
    textArray(rows.map((row) => row.user)),
    doubleArray(rows.map((row) => row.record.ts)),
    textArray(rows.map((row) => row.record.kind)),
    textArray(rows.map((row) => row.record.step)),
    textArray(rows.map((row) => row.record.data)),
  ]
}

function placeColumns(places: readonly Place[]): Buffer[] {
  return [textArray(places.map((place) => place.fid)), bigintArray(places.map((place) => place.epoch)), bigintArray(places.map((place) => place.seq))]
}
