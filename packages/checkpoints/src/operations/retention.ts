import type { CheckpointRow } from '@koco/storage'
import type { Parts } from '../parts.ts'

/** `keep`: at most so many of each session; `days`: none that is older. `needed`: those that stay whatever else is said. */
export type Retention = { readonly sessionId?: string; readonly keep?: number; readonly days?: number; readonly needed?: readonly string[] }

const PAGE = 1000

/**
 * Deletes checkpoints by count and age, the oldest first; gives their ids. These stay: locked ones; the newest of each session; heads of branches (what continues another and is continued by none); and
 * where branches part, for a merge needs that.
 */
export async function applyRetention(parts: Parts, retention: Retention): Promise<string[]> {
  const bySession = retention.sessionId === undefined ? await allSessions(parts) : [retention.sessionId]
  const removed: string[] = []
  for (const session of bySession) removed.push(...(await retainSession(parts, session, retention)))
  return removed
}

async function retainSession(parts: Parts, session: string, { keep, days, needed = [] }: Retention): Promise<string[]> {
  const oldest = days === undefined ? -Infinity : parts.clock() / 1000 - days * 86_400
  const rows = await rowsOf(parts, session)
  if (rows.length <= (keep ?? Infinity) && (rows.at(-1)?.createdAt ?? Infinity) >= oldest) return []
  const stay = await mustStay(parts, session, rows, needed)
  const surplus = keep === undefined ? 0 : Math.max(0, rows.length - keep)
  const removed: string[] = []
  for (const { id, createdAt } of rows.toReversed()) {
    if (stay.has(id)) continue
    if (createdAt >= oldest && removed.length >= surplus) break
    if ((await parts.store.delete(id)) !== 'deleted') continue
    await parts.manifests.remove(id)
    removed.push(id)
  }
  return removed
}

async function mustStay({ store }: Parts, session: string, rows: readonly CheckpointRow[], needed: readonly string[]): Promise<Set<string>> {
  const children = new Map<string, number>()
  for (const { parent, merged } of await store.family(session)) {
    for (const id of new Set([parent, merged])) if (id !== null) children.set(id, (children.get(id) ?? 0) + 1)
  }
  const stay = new Set(needed)
  const newest = rows[0]
  if (newest) stay.add(newest.id)
  for (const { id, lock, parent } of rows) {
    const count = children.get(id) ?? 0
    if (lock !== null || count > 1 || (count === 0 && parent !== null)) stay.add(id)
  }
  return stay
}

/** All checkpoints of a session, newest first. */
async function rowsOf({ store }: Parts, session: string): Promise<CheckpointRow[]> {
  const rows: CheckpointRow[] = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page: Awaited<ReturnType<typeof store.list>> = await store.list({ session, limit: PAGE, ...(cursor !== undefined && { cursor }) })
    rows.push(...page.items)
    cursor = page.next
  }
  return rows
}

async function allSessions({ store }: Parts): Promise<string[]> {
  const sessions = new Set<string>()
  for await (const { session } of allRows(store)) sessions.add(session)
  return [...sessions]
}

/** Every checkpoint, newest first. */
export async function* allRows(store: Parts['store']): AsyncGenerator<CheckpointRow> {
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page: Awaited<ReturnType<typeof store.list>> = await store.list({ limit: PAGE, ...(cursor !== undefined && { cursor }) })
    yield* page.items
    cursor = page.next
  }
}
