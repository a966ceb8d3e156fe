import { contentOf, INLINE_BYTES_MAX, isJsonObject, parseJson, toJsonText, type EventRecord, type Json } from '@koco/core'
import type { Contents } from './port.ts'

/** A record as it is stored; call `named` when it is. */
export type Claimed = { readonly record: EventRecord; named(): void }

const NOTHING = (): void => undefined

/** Puts a large result that a record holds where such results lie, and names it in the record; other records stay as they are. For records that no executor has written: copied, edited, read from a file. */
export async function claimResult(contents: Contents, record: EventRecord): Promise<Claimed> {
  const as = { record, named: NOTHING }
  if (record.kind !== 'step' || record.data.length <= INLINE_BYTES_MAX / 3) return as
  const step = parseJson(record.data)
  if (!isJsonObject(step) || step['phase'] !== 'finished' || step['content'] !== undefined || step['result'] === undefined) return as
  const text = toJsonText(step['result'])
  const kept = Buffer.byteLength(text) > INLINE_BYTES_MAX ? await contents.keep(text) : undefined
  return kept ? { record: { ...record, data: toJsonText({ ...step, result: null, content: kept.content }) }, named: () => kept.named() } : as
}

/** The data of a record with the result in its place that it only names. Throws as `Contents.read`. */
export async function wholeData(contents: Contents, record: EventRecord): Promise<Json> {
  const data = parseJson(record.data)
  const content = contentOf(record)
  if (!content || !isJsonObject(data)) return data
  const { content: _content, ...rest } = data
  return { ...rest, result: parseJson(await contents.read(content)) }
}
