import type { ExecutionStore } from '@koco/storage'
import { Gauge, type Registry } from 'prom-client'
import type { LocalFlows } from '../options.ts'
import { LIVE_S } from '../shapes/flow.ts'

/** A flow of which runs wait for a worker, and since when nobody serves it (unix seconds). */
export type ColdFlow = { readonly flow: string; readonly since: number }

/** Looks when asked. */
export type ColdWatch = { look(): Promise<readonly ColdFlow[]> }

/** What the watch asks. `clock`: milliseconds since 1970. */
export type ColdWatchDeps = { readonly store: ExecutionStore; readonly catalog: LocalFlows; readonly registry: Registry; readonly clock: () => number }

/** Workers that are replaced leave a flow alone for a moment. */
const PATIENCE_S = 60

/** Knows the flows that no worker serves in any version while runs of them are to begin or go on; tells Prometheus how many there are. Runs that wait for people or timers need no worker yet. */
export function createColdWatch({ store, catalog, registry, clock }: ColdWatchDeps): ColdWatch {
  const unserved = new Map<string, number>()

  async function look(): Promise<readonly ColdFlow[]> {
    const now = clock() / 1000
    const local = new Set(catalog.list().map(({ name }) => name))
    const cold: ColdFlow[] = []
    for (const { name: flow, workers } of await store.flows.list()) {
      const seenAt = Math.max(-Infinity, ...workers.map((worker) => worker.seenAt))
      if (local.has(flow) || seenAt >= now - LIVE_S || !(await hasWork(store, flow))) {
        unserved.delete(flow)
        continue
      }
      // A worker that took its leave is on no list any more: then it counts from the first look.
      const since = unserved.get(flow) ?? (seenAt === -Infinity ? now : seenAt)
      unserved.set(flow, since)
      if (now - since >= PATIENCE_S) cold.push({ flow, since })
    }
    return cold
  }

  const gauge = new Gauge({
    name: 'koco_flows_cold_waiting',
    help: 'Flows of which runs wait for a worker while none has served them for a minute.',
    registers: [registry],
    async collect() {
      this.set((await look()).length)
    },
  })
  gauge.reset()
  return { look }
}

async function hasWork({ runs }: ExecutionStore, flow: string): Promise<boolean> {
  return (await runs.list({ flow, status: ['starting', 'running'], limit: 1 })).items.length > 0
}
