import type { Json } from '@koco/core'
import type { Checkpoint } from '@koco/core/api'
import { usageError } from '../output/exit.ts'
import { timeText } from '../output/table.ts'

/** The address of a checkpoint. */
export function pathOf(id: string): string {
  return `/api/checkpoints/${encodeURIComponent(id)}`
}

/** A JSON object of an option; a usage error names the option. */
export function parseObject(text: string, option: string): { readonly [key: string]: Json } {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as { readonly [key: string]: Json }
  } catch {
    // Told below, as for every other text that is no object.
  }
  throw usageError(`${option} takes a JSON object, like '{"stage":"draft"}', not "${text}".`)
}

/** What of a checkpoint fits on a screen. */
export function brief({
  id,
  session_id,
  created_at,
  description,
  tags,
  origin,
  parent_id,
  messages,
  file_count,
  bytes,
  added_bytes,
  lock,
}: Checkpoint): object {
  const about = { id, session_id, created_at: timeText(created_at), description, tags: tags.length === 0 ? null : tags.join(' '), origin, parent_id }
  return { ...about, messages, file_count, bytes, added_bytes, locked_by: lock?.by ?? null }
}
