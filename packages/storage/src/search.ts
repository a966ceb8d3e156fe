import type { RunState } from '@koco/core'
import { isJsonObject, type Json } from '@koco/core'

const SEARCH_CHARS_MAX = 4096
const WORDS_MAX = 16

/** What a search over runs looks into, lower-cased: summary, flow, tags and the values of the inputs, cut at 4,096 characters. The status is looked at beside it, because it changes often. */
export function searchText(run: Pick<RunState, 'summary' | 'flow' | 'tags' | 'inputs'>): string {
  const parts = [run.summary, run.flow, run.tags.join(' ')]
  collect(run.inputs, parts)
  return parts.join('\n').toLowerCase().slice(0, SEARCH_CHARS_MAX).toWellFormed()
}

/** The words of a search, lower-cased; every one must occur. */
export function searchWords(q: string): string[] {
  return q.toLowerCase().split(/\s+/).filter(Boolean).slice(0, WORDS_MAX)
}

/** The text that a search over events compares with lower-cased data: `q` as it stands within JSON text. */
export function searchInJson(q: string): string {
  return JSON.stringify(q.toLowerCase()).slice(1, -1)
}

function collect(value: Json, into: string[]): void {
  if (into.length > 200) return
  if (typeof value === 'string') into.push(value.slice(0, SEARCH_CHARS_MAX))
  else if (typeof value === 'number' || typeof value === 'boolean') into.push(String(value))
  else if (Array.isArray(value)) for (const item of value) collect(item as Json, into)
  else if (isJsonObject(value)) for (const item of Object.values(value)) collect(item, into)
}
