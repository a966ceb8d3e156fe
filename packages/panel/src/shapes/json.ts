import { RefusedError, type Json } from '@koco/core'
import { z } from 'zod'

/** Any JSON value. */
export const json = jsonOf<Json>('any JSON value')

/** A JSON value that is a `T`, where a schema of it would tell readers less than the words. */
export function jsonOf<T>(about: string): z.ZodType<T> {
  return z.unknown().describe(about) as z.ZodType<T>
}

/** A page of a list: its items and the cursor of the next page, null at the end. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable().describe('opaque; give it back as `after`') })
}

/** How many items a page has: 1 to `max`, as the query says. */
export function limit(max: number, standard: number) {
  return z.coerce.number().int().min(1).max(max).default(standard)
}

/** A query parameter that may be given several times or as one list with commas. */
export const list = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (Array.isArray(value) ? value : [value]).flatMap((part) => part.split(',')).filter((part) => part !== ''))
  .optional()

/** A cursor of a list kept in memory: the name of its last item. */
function nameCursor(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const name = Buffer.from(text, 'base64url').toString()
  if (name.startsWith('n:') && Buffer.from(name).toString('base64url') === text) return name.slice(2)
  throw new RefusedError(`"${text.slice(0, 80)}" is not a cursor of this list; leave \`after\` out to start at its beginning.`, { code: 'bad_cursor' })
}

/** The page of a sorted list that follows a name. */
export function pageByName<T extends { readonly name: string }>(
  sorted: readonly T[],
  after: string | undefined,
  size: number,
): { items: T[]; next: string | null } {
  const name = nameCursor(after)
  const rest = name === undefined ? sorted : sorted.filter((item) => item.name > name)
  const items = rest.slice(0, size)
  const last = items.at(-1)
  return { items, next: last && rest.length > size ? Buffer.from(`n:${last.name}`).toString('base64url') : null }
}
