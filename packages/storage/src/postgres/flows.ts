import { parseJson, toJsonText } from '@koco/core'
import { currentFlows, WORKER_KEPT_S } from '../current-flows.ts'
import type { FlowEntry, FlowRegistry, FlowWorker } from '../port/flows.ts'
import { jsonb, type ExecutionDatabase } from './schema.ts'

/** Which processes serve which flows. */
export function createFlowTable(db: ExecutionDatabase): FlowRegistry {
  return {
    async heartbeat(worker, flows) {
      await db.transaction().execute(async (transaction) => {
        // First: those that wake up together take each other's old rows away in one order, before they hold their own.
        await transaction
          .deleteFrom('flow_workers')
          .where('seen_at', '<', worker.seenAt - WORKER_KEPT_S)
          .execute()
        // In name order, so that two workers that say the same at once take turns.
        for (const flow of flows.toSorted((a, b) => (a.name < b.name ? -1 : 1))) await saveFlow(transaction, flow, worker.seenAt)
        await saveWorker(transaction, worker, flows)
      })
    },
    async leave(workerId) {
      await db.deleteFrom('flow_workers').where('id', '=', workerId).execute()
    },
    async list() {
      const [versions, workers] = await Promise.all([
        db.selectFrom('flow_versions').select(['entry', 'since']).execute(),
        db.selectFrom('flow_workers').selectAll().execute(),
      ])
      const served = workers.flatMap(({ id, launcher, host, pid, seen_at: seenAt, flows }) =>
        flows.map(({ name, version }) => ({ id, launcher, host, pid, seenAt, name, version })),
      )
      return currentFlows(
        versions.map(({ entry, since }) => ({ entry: parseJson(entry) as unknown as FlowEntry, since })),
        served,
      )
    },
  }
}

async function saveFlow(db: ExecutionDatabase, flow: FlowEntry, since: number): Promise<void> {
  const entry = toJsonText(flow)
  await db
    .insertInto('flow_versions')
    .values({ name: flow.name, version: toJsonText(flow.version), entry, since })
    .onConflict((conflict) => conflict.columns(['name', 'version']).doUpdateSet({ entry }))
    .execute()
}

async function saveWorker(db: ExecutionDatabase, { id, launcher, host, pid, seenAt }: FlowWorker, flows: readonly FlowEntry[]): Promise<void> {
  const row = { launcher, host, pid, seen_at: seenAt, flows: jsonb(flows.map(({ name, version }) => ({ name, version }))) }
  await db
    .insertInto('flow_workers')
    .values({ id, ...row })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute()
}
