import type { Session } from '@koco/core/api'

/** A session in the tree of forks, how deep it lies, the first of them at 0. */
export type Fork = { readonly session: Session; readonly depth: number }

const DEPTH_MAX = 100

/** The whole tree that a session belongs to, from its first ancestor down, forks by age. One alone when it has no relatives. */
export function forksOf(id: string, sessions: readonly Session[]): Fork[] {
  const byId = new Map(sessions.map((session) => [session.session_id, session]))
  const children = Map.groupBy(sessions, (session) => session.parent_session_id)
  let root = byId.get(id)
  for (let hops = 0; hops < DEPTH_MAX; hops += 1) {
    const parent = root?.parent_session_id ? byId.get(root.parent_session_id) : undefined
    if (!parent) break
    root = parent
  }
  return root ? walk(root, 0, children) : []
}

function walk(session: Session, depth: number, children: ReadonlyMap<string | null, readonly Session[]>): Fork[] {
  if (depth > DEPTH_MAX) return []
  const below = (children.get(session.session_id) ?? []).toSorted((a, b) => a.created_at - b.created_at)
  return [{ session, depth }, ...below.flatMap((child) => walk(child, depth + 1, children))]
}
