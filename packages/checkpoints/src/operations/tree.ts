import type { CheckpointRow } from '@koco/storage'
import type { Parts } from '../parts.ts'

/** A branch: its newest checkpoint, all from there to its beginning (newest first), and where it parts from the branch before it, null when it does not. */
export type Branch = { readonly head: string; readonly sessionId: string; readonly checkpoints: readonly string[]; readonly forkedFrom: string | null }

/** A checkpoint in a tree, with what continues it. */
export type TreeNode = { readonly checkpoint: CheckpointRow; readonly children: readonly string[] }

/** A session's checkpoints and all that belong together with them, oldest first; `ancestors`: for each two branches the newest checkpoint that both continue. */
export type Tree = {
  readonly nodes: readonly TreeNode[]
  readonly branches: readonly Branch[]
  readonly ancestors: readonly { readonly heads: readonly [string, string]; readonly ancestor: string | null }[]
}

const HEADS_MAX = 100

/** The branches of a session's family. */
export async function tree(parts: Parts, sessionId: string): Promise<Tree> {
  const rows = await parts.store.family(sessionId)
  const byId = new Map(rows.map((row) => [row.id, row]))
  const children = new Map<string, string[]>(rows.map(({ id }) => [id, []]))
  for (const { id, parent, merged } of rows) for (const from of new Set([parent, merged])) if (from !== null) children.get(from)?.push(id)
  const heads = rows.filter(({ id }) => children.get(id)?.length === 0)
  return {
    nodes: rows.map((checkpoint) => ({ checkpoint, children: children.get(checkpoint.id) ?? [] })),
    branches: branchesOf(heads, byId),
    ancestors: pairs(heads.slice(-HEADS_MAX)).map(([a, b]) => ({ heads: [a.id, b.id], ancestor: nearest(upFrom(a, byId), upFrom(b, byId)) })),
  }
}

/** The nearest checkpoint that two continue, one of them itself perhaps; null when there is none. */
export async function commonAncestor({ store }: Pick<Parts, 'store'>, a: string, b: string): Promise<string | null> {
  const [left, right] = await Promise.all([store.ancestors(a), store.ancestors(b)])
  return nearest(new Map(left.map((row) => [row.id, row])), new Map(right.map((row) => [row.id, row])))
}

type Rows = ReadonlyMap<string, CheckpointRow>

/** Of what both have, the newest that none of the others continues. */
function nearest(left: Rows, right: Rows): string | null {
  const common = [...left.values()].filter(({ id }) => right.has(id))
  const continued = new Set(common.flatMap(({ parent, merged }) => [parent, merged]))
  return common.filter(({ id }) => !continued.has(id)).toSorted((a, b) => b.createdAt - a.createdAt)[0]?.id ?? null
}

function upFrom(row: CheckpointRow, byId: Rows): Rows {
  const found = new Map<string, CheckpointRow>()
  const queue: (string | null)[] = [row.id]
  while (queue.length > 0) {
    const at = byId.get(queue.pop() ?? '')
    if (!at || found.has(at.id)) continue
    found.set(at.id, at)
    queue.push(at.parent, at.merged)
  }
  return found
}

/** From each head down its first parents, until a checkpoint that an earlier branch has: the oldest heads first, so that the trunk is the oldest. */
function branchesOf(heads: readonly CheckpointRow[], byId: Rows): Branch[] {
  const taken = new Set<string>()
  return heads.map((head) => {
    const checkpoints: string[] = []
    let at: CheckpointRow | undefined = head
    while (at && !taken.has(at.id)) {
      taken.add(at.id)
      checkpoints.push(at.id)
      at = at.parent === null ? undefined : byId.get(at.parent)
    }
    return { head: head.id, sessionId: head.session, checkpoints, forkedFrom: at?.id ?? null }
  })
}

function pairs<T>(items: readonly T[]): [T, T][] {
  return items.flatMap((a, i) => items.slice(i + 1).map((b): [T, T] => [a, b]))
}
