import { crc32 } from 'node:zlib'
import { isJsonObject, parseJson, toJsonText, type Json } from '@koco/core'
import type { ChatMessage, ModelUse, SessionLabels, TurnEnd, TurnKind } from '../port/sessions.ts'

/** Ids and roles of the messages in an entry's body. */
export type Said = { readonly ids: readonly string[]; readonly roles: readonly string[] }

/** What an entry says without its messages: enough to fold a session. `bodies` are apart, so that a long talk is folded from short texts. */
export type EntryHead =
  | ({
      readonly kind: 'created'
      readonly user: string
      readonly parent: string | null
      readonly labels: SessionLabels
      readonly uses: readonly ModelUse[]
    } & Said)
  | ({ readonly kind: 'appended' } & Said)
  | { readonly kind: 'truncated'; readonly keep: number }
  | { readonly kind: 'redone' }
  | { readonly kind: 'labelled'; readonly labels: Partial<SessionLabels> }
  | { readonly kind: 'used'; readonly uses: readonly ModelUse[] }
  | ({
      readonly kind: 'turn-started'
      readonly fid: string
      readonly turn: TurnKind
      readonly queued: string | null
      readonly labels: Partial<SessionLabels>
    } & Said)
  | ({
      readonly kind: 'turn-ended'
      readonly fid: string
      readonly end: TurnEnd
      readonly uses: readonly ModelUse[]
      readonly heard: readonly string[]
      readonly replace: number
    } & Said)
  | { readonly kind: 'turn-abandoned'; readonly fid: string }
  | { readonly kind: 'steered'; readonly id: string }
  | { readonly kind: 'queued'; readonly id: string }
  | { readonly kind: 'unqueued'; readonly id: string }

/** What goes with a head: messages, and for `created` the tool calls that came along. */
export type EntryBody = {
  readonly messages?: readonly ChatMessage[]
  readonly toolCalls?: readonly Json[]
  readonly text?: string
  readonly model?: string | null
}

/** An entry before it is stored. */
export type NewEntry = { readonly head: EntryHead; readonly body: EntryBody | null }

/** A head with its place and time (unix seconds); `head` null when what is stored is not what was written. */
export type ReadEntry = { readonly revision: number; readonly at: number; readonly head: EntryHead | null }

/** An entry as both stores keep it; the sums tell damage. */
export type EntryRow = {
  readonly revision: number
  readonly at: number
  readonly head: string
  readonly head_sum: number
  readonly body: string | null
  readonly body_sum: number
}

/** The columns that a fold needs. */
export type HeadRow = Pick<EntryRow, 'revision' | 'at' | 'head' | 'head_sum'>

/** An entry ready to be stored. */
export function packEntry(revision: number, at: number, { head, body }: NewEntry): EntryRow {
  const headText = toJsonText(head)
  const bodyText = body === null ? null : toJsonText(body)
  return { revision, at, head: headText, head_sum: crc32(headText), body: bodyText, body_sum: crc32(bodyText ?? '') }
}

/** The head of a stored entry. */
export function unpackHead({ revision, at, head, head_sum: sum }: HeadRow): ReadEntry {
  return { revision, at, head: intact(head, sum) as EntryHead | null }
}

/** The body of a stored entry; null when it is damaged. */
export function unpackBody({ body, body_sum: sum }: Pick<EntryRow, 'body' | 'body_sum'>): EntryBody | null {
  return body === null ? {} : (intact(body, sum) as EntryBody | null)
}

function intact(text: string, sum: number): Json {
  if (crc32(text) !== sum) return null
  try {
    const value = parseJson(text)
    return isJsonObject(value) ? value : null
  } catch {
    return null // Damage is what this is looking for; it is told by the session.
  }
}
