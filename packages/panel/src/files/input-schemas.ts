import type { Json } from '@koco/core'
import type { PanelDeps } from '../options.ts'

/** The JSON Schema of a flow's inputs, null for an unknown flow. */
export type InputSchemas = (flow: string) => Promise<Json>

/** How long the list of what workers serve may be old: it is asked for at each start. */
const KEPT_MS = 2_000

/** The schemas of the flows that this process serves, else of those that a worker last served. */
export function createInputSchemas({ catalog, store, clock }: Pick<PanelDeps, 'catalog' | 'store' | 'clock'>): InputSchemas {
  let kept: { readonly untilMs: number; readonly served: ReturnType<typeof store.flows.list> } | undefined
  return async (name) => {
    const local = catalog.list().find((flow) => flow.name === name)
    if (local) return local.inputs
    if (!kept || kept.untilMs <= clock()) kept = { untilMs: clock() + KEPT_MS, served: store.flows.list() }
    const { served } = kept
    // A failure is not kept.
    served.catch(() => (kept = undefined))
    return (await served).find((flow) => flow.name === name)?.inputs ?? null
  }
}
