import { RefusedError } from '@koco/core'
import { isFlow, type Flow } from './flow.ts'

/** The flows that this process serves. */
export interface Catalog {
  get(name: string): Flow | undefined
  /** In the order of their names. */
  list(): readonly Flow[]
  /** Puts other flows in place of all; on an error (RefusedError) the old ones stay. Runs under way keep the flow that they began with until their next try. */
  replace(flows: readonly Flow[]): void
  /** Calls `listener` after each replacement; the result ends it. */
  onChange(listener: () => void): () => void
}

/** A catalogue of these flows. RefusedError `duplicate_flow` when two have one name, `bad_flow` for what is no flow. */
export function createCatalog(flows: readonly Flow[]): Catalog {
  let byName = index(flows)
  const listeners = new Set<() => void>()
  return {
    get: (name) => byName.get(name),
    list: () => [...byName.values()],
    replace(next) {
      byName = index(next)
      for (const listener of listeners) listener()
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function index(flows: readonly Flow[]): Map<string, Flow> {
  const byName = new Map<string, Flow>()
  for (const flow of flows.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!isFlow(flow)) throw new RefusedError('The catalogue takes only what defineFlow gives.', { code: 'bad_flow' })
    if (byName.has(flow.name)) {
      throw new RefusedError(`Two flows are named "${flow.name}": rename one of them.`, { code: 'duplicate_flow' })
    }
    byName.set(flow.name, flow)
  }
  return byName
}
