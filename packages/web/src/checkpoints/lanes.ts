import type { Checkpoint } from '@koco/core/api'

/** A line of a drawn tree: the checkpoint, its lane, the lanes that pass by, and the lines to what it continues. */
export type Row = {
  readonly checkpoint: Checkpoint
  readonly lane: number
  readonly through: readonly number[]
  readonly to: readonly { readonly lane: number; readonly row: number }[]
}

/**
 * Lays a family out, newest first: a branch keeps its lane from its head down to where it parts, and gives it free there. `nodes` come oldest first.
 */
export function layLanes(nodes: readonly { readonly checkpoint: Checkpoint }[]): readonly Row[] {
  const newest = nodes.map(({ checkpoint }) => checkpoint).toReversed()
  const rowOf = new Map(newest.map(({ id }, row) => [id, row]))
  // What each lane waits for: the next checkpoint of its branch.
  const waiting: (string | null)[] = []
  const placed: { checkpoint: Checkpoint; lane: number; through: number[] }[] = []
  for (const checkpoint of newest) {
    let lane = waiting.indexOf(checkpoint.id)
    if (lane === -1) lane = free(waiting)
    waiting.forEach((id, at) => {
      if (id === checkpoint.id) waiting[at] = null
    })
    const through = waiting.flatMap((id, at) => (id !== null && at !== lane ? [at] : []))
    waiting[lane] = known(checkpoint.parent_id, rowOf)
    const merged = known(checkpoint.merged_id, rowOf)
    if (merged !== null && !waiting.includes(merged)) waiting[free(waiting)] = merged
    placed.push({ checkpoint, lane, through })
  }
  return placed.map(({ checkpoint, lane, through }) => ({
    checkpoint,
    lane,
    through,
    to: [checkpoint.parent_id, checkpoint.merged_id].flatMap((id) => {
      const row = id === null ? undefined : rowOf.get(id)
      const target = row === undefined ? undefined : placed[row]
      return row === undefined || !target ? [] : [{ lane: target.lane, row }]
    }),
  }))
}

function free(waiting: (string | null)[]): number {
  const at = waiting.indexOf(null)
  return at === -1 ? waiting.push(null) - 1 : at
}

function known(id: string | null, rows: ReadonlyMap<string, number>): string | null {
  return id !== null && rows.has(id) ? id : null
}
