import { RefusedError } from '@koco/core'

/** The part of a list's order that a cursor names; the kinds of lists have different ones, so a cursor of one is refused by another. */
export type CursorPart = string | number

/** An opaque cursor: base64url of JSON. */
export function encodeCursor(list: string, parts: readonly CursorPart[]): string {
  return Buffer.from(JSON.stringify([list, ...parts])).toString('base64url')
}

/** The parts of a cursor of this list, of the types of `like`. Throws RefusedError `bad_cursor` for any other text. */
export function decodeCursor<const T extends readonly ('string' | 'number')[]>(
  list: string,
  cursor: string,
  like: T,
): { -readonly [I in keyof T]: T[I] extends 'string' ? string : number } {
  const parts = parse(cursor)
  const fits = Array.isArray(parts) && parts[0] === list && parts.length === like.length + 1 && like.every((type, i) => isOf(type, parts[i + 1]))
  if (!fits) {
    throw new RefusedError(`"${cursor.slice(0, 80)}" is not a cursor of the list of ${list}. Use the "next" of the page before, or leave it out.`, {
      code: 'bad_cursor',
    })
  }
  return parts.slice(1) as { -readonly [I in keyof T]: T[I] extends 'string' ? string : number }
}

/** A page out of `limit + 1` rows: the extra row only tells that there are more. */
export function pageOf<T>(rows: readonly T[], limit: number, cursorOf: (last: T) => string): { items: readonly T[]; next: string | null } {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? cursorOf(last) : null }
}

/** A limit as lists take it: whole, at least 1, at most 1,000. */
export function clampLimit(limit: number): number {
  return Number.isFinite(limit) ? Math.min(1000, Math.max(1, Math.floor(limit))) : 1000
}

function isOf(type: 'string' | 'number', value: unknown): boolean {
  return type === 'string' ? typeof value === 'string' : typeof value === 'number' && Number.isFinite(value)
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
