import { parseJson, type Json } from '@koco/core'

/** A draft as it was kept; null when there is none, or when it cannot be read: it was never said. */
export function parseDraft(text: string | null): Json {
  if (text === null) return null
  try {
    return parseJson(text)
  } catch {
    return null // A damaged draft must not keep anybody from the session.
  }
}
