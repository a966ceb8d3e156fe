import { parseJson, toJsonText } from '@koco/core'
import type { FlowEntry, FlowRegistry, FlowWorker } from '../port.ts'
import { jsonb, type ExecutionDatabase } from './schema.ts'

/** Which processes serve which flows. */
export function createFlowTable(db: ExecutionDatabase): FlowRegistry {
  return {
    async heartbeat(worker, flows) {
      await db.transaction().execute(async (transaction) => {
        // In name order, so that two workers that say the same at once take turns.
        for (const flow of flows.toSorted((a, b) => (a.name < b.name ? -1 : 1))) await saveFlow(transaction, flow)
        await saveWorker(transaction, worker, flows)
      })
    },
    async leave(workerId) {
      await db.deleteFrom('flow_workers').where('id', '=', workerId).execute()
    },
    async list() {
      const [flows, workers] = await Promise.all([
        db.selectFrom('flow_entries').selectAll().orderBy('name').execute(),
        db.selectFrom('flow_workers').selectAll().orderBy('id').execute(),
      ])
      return flows.map((flow) => ({
        ...flow,
        inputs: parseJson(flow.inputs),
        workers: workers
          .filter((worker) => worker.flows.includes(flow.name))
          .map(({ id, launcher, host, pid, seen_at }) => ({ id, launcher, host, pid, seenAt: seen_at })),
      }))
    },
  }
}

async function saveFlow(db: ExecutionDatabase, { name, version, summary, description, tags, author, inputs }: FlowEntry): Promise<void> {
  const entry = { version, summary, description, tags: jsonb(tags), author, inputs: toJsonText(inputs) }
  await db
    .insertInto('flow_entries')
    .values({ name, ...entry })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(entry))
    .execute()
}

async function saveWorker(db: ExecutionDatabase, { id, launcher, host, pid, seenAt }: FlowWorker, flows: readonly FlowEntry[]): Promise<void> {
  const row = { launcher, host, pid, seen_at: seenAt, flows: jsonb(flows.map((flow) => flow.name)) }
  await db
    .insertInto('flow_workers')
    .values({ id, ...row })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute()
}
