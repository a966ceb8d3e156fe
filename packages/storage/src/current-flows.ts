import type { FlowEntry, FlowWorker, ListedFlow } from './port/flows.ts'

/** A version of a flow that was ever served; `since`: when it was first. */
export type FlowVersion = { readonly entry: FlowEntry; readonly since: number }

/** A worker and one of the flows that it serves. */
export type ServedFlow = FlowWorker & { readonly name: string; readonly version: string | null }

/** A worker that was heard of so much earlier than another one counts as gone: three beats. */
const GONE_S = 45

/** How long a worker that did not say goodbye stays on the list, in seconds. */
export const WORKER_KEPT_S = 86_400

/**
 * The catalogue from its rows. Of several versions of a flow the one is listed that new runs begin on: of those that are served now the one that came last, however the workers' beats fall; of a
 * cold flow the one that came last.
 */
export function currentFlows(versions: readonly FlowVersion[], served: readonly ServedFlow[]): ListedFlow[] {
  const lastSeen = Math.max(...served.map(({ seenAt }) => seenAt))
  const servedNow = new Set(served.filter(({ seenAt }) => seenAt >= lastSeen - GONE_S).map(keyOf))
  const byName = Map.groupBy(versions, ({ entry }) => entry.name)
  const names = [...byName.keys()].toSorted((a, b) => (a < b ? -1 : 1))
  return names.flatMap((name) => {
    const all = (byName.get(name) ?? []).toSorted((a, b) => b.since - a.since)
    const current = all.find(({ entry }) => servedNow.has(keyOf(entry))) ?? all[0]
    if (!current) return []
    const workers = served.filter((one) => one.name === name).toSorted((a, b) => (a.id < b.id ? -1 : 1))
    return [{ ...current.entry, workers: workers.map(({ name: _name, ...worker }) => worker) }]
  })
}

function keyOf({ name, version }: { readonly name: string; readonly version: string | null }): string {
  return JSON.stringify([name, version])
}
