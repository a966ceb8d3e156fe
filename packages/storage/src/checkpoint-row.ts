import { isJsonObject, parseJson, toJsonText, type Json } from '@koco/core'
import type { CheckpointLock, CheckpointQuery, CheckpointRow } from './port/checkpoints.ts'

/** Rows of a family at most. */
export const FAMILY_MAX = 10_000
const SEARCH_CHARS_MAX = 8192
const LEAVES_MAX = 1000

/** The columns that both stores keep; `about` is the JSON text of the rest. `tokens` and `search` follow from tags and metadata: filters look into them. */
export type StoredCheckpoint = {
  readonly id: string
  readonly session: string
  readonly username: string
  readonly created_at: number
  readonly parent: string | null
  readonly merged: string | null
  readonly bytes: number
  readonly added: number
  readonly revision: number
  readonly locked: string | null
  readonly tokens: string
  readonly search: string
  readonly about: string
}

type About = Pick<CheckpointRow, 'description' | 'tags' | 'metadata' | 'origin' | 'position' | 'messages' | 'files' | 'manifest'>

/** A row ready to be stored. */
export function packCheckpoint(row: CheckpointRow): StoredCheckpoint {
  const { description, tags, metadata, origin, position, messages, files, manifest } = row
  const about: About = { description, tags, metadata, origin, position, messages, files, manifest }
  const { id, session, user: username, createdAt: created_at, parent, merged, bytes, added, revision } = row
  const locked = row.lock === null ? null : toJsonText(row.lock)
  return {
    id,
    session,
    username,
    created_at,
    parent,
    merged,
    bytes,
    added,
    revision,
    locked,
    tokens: tokensOf(row),
    search: searchOf(row),
    about: toJsonText(about),
  }
}

/** A stored row, read. */
export function unpackCheckpoint(row: Omit<StoredCheckpoint, 'tokens' | 'search'>): CheckpointRow {
  const { id, session, username: user, created_at: createdAt, parent, merged, bytes, added, revision, locked, about } = row
  const lock = locked === null ? null : (parseJson(locked) as CheckpointLock)
  return { ...(parseJson(about) as unknown as About), id, session, user, createdAt, parent, merged, bytes, added, revision, lock }
}

/** The lines of `tokens` that a query wants, all of them, each with its line ends. */
export function wantedTokens({ tags = [], metadata = {} }: Pick<CheckpointQuery, 'tags' | 'metadata'>): string[] {
  return [...tags.map(tagToken), ...leaves(metadata)].map((line) => `\n${line}\n`)
}

/** One line a tag and one a value of the metadata, its place with it: equal in both stores, whatever their JSON functions think of numbers. */
function tokensOf({ tags, metadata }: CheckpointRow): string {
  // Two line ends between lines, so that neighbours can both be found.
  return `\n${[...tags.map(tagToken), ...leaves(metadata)].join('\n\n')}\n`
}

function tagToken(tag: string): string {
  return `#${toJsonText(tag)}`
}

function leaves(value: Json, path: readonly string[] = [], into: string[] = []): string[] {
  if (into.length >= LEAVES_MAX) return into
  if (isJsonObject(value) && (path.length === 0 || Object.keys(value).length > 0)) {
    for (const [key, inner] of Object.entries(value)) leaves(inner, [...path, key], into)
  } else into.push(toJsonText([...path, value]))
  return into
}

function searchOf({ id, session, description, tags, metadata }: CheckpointRow): string {
  return [description, ...tags, toJsonText(metadata), id, session].join('\n').toLowerCase().slice(0, SEARCH_CHARS_MAX).replaceAll('\0', ' ').toWellFormed()
}
