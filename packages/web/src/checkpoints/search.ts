/** What the page of checkpoints shows: words, the session whose family is drawn, and the checkpoints that are chosen. */
export type CheckpointsSearch = { readonly q?: string; readonly session?: string; readonly a?: string; readonly b?: string }

/** The search part of the address; what does not belong there is left out. */
export function checkpointsSearch(search: Record<string, unknown>): CheckpointsSearch {
  const { q, session, a, b } = search
  return {
    ...(typeof q === 'string' && q !== '' && { q }),
    ...(typeof session === 'string' && /^[0-9a-f]{12}$/.test(session) && { session }),
    ...(isId(a) && { a }),
    ...(isId(b) && { b }),
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^ck[0-9a-f]{24}$/.test(value)
}
