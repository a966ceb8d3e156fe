import type { ContentRef, EventRecord } from './event.ts'
import { isJsonObject, parseJson } from './json.ts'

const HASH = /^[0-9a-f]{64}$/

/** The content that a record names instead of holding it; undefined for one that holds all that it says, and for broken data. */
export function contentOf({ kind, data }: Pick<EventRecord, 'kind' | 'data'>): ContentRef | undefined {
  // Nearly all records have none: they are not parsed.
  if (kind !== 'step' || !data.includes('"sha256"')) return undefined
  try {
    const step = parseJson(data)
    const content = isJsonObject(step) ? step['content'] : undefined
    if (!isJsonObject(content)) return undefined
    const { sha256, bytes, stored } = content
    const isWhole = typeof sha256 === 'string' && HASH.test(sha256) && isCount(bytes) && isCount(stored)
    return isWhole ? { sha256, bytes, stored } : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
