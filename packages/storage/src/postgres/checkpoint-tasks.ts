import { parseJson, toJsonText } from '@koco/core'
import type { CheckpointStore } from '../port/checkpoints.ts'
import type { ExecutionDatabase } from './schema.ts'

/** What is to be done for sessions. */
export function checkpointTasks(db: ExecutionDatabase): Pick<CheckpointStore, 'setTask' | 'dropTask' | 'tasks'> {
  return {
    async setTask({ kind, session, about }) {
      const text = toJsonText(about)
      await db
        .insertInto('checkpoint_tasks')
        .values({ kind, session, about: text })
        .onConflict((conflict) => conflict.columns(['kind', 'session']).doUpdateSet({ about: text }))
        .execute()
    },
    async dropTask(kind, session) {
      const { numDeletedRows } = await db.deleteFrom('checkpoint_tasks').where('kind', '=', kind).where('session', '=', session).executeTakeFirst()
      return numDeletedRows > 0n
    },
    async tasks(kind) {
      const rows = await db.selectFrom('checkpoint_tasks').selectAll().where('kind', '=', kind).orderBy('session').execute()
      return rows.map(({ about, ...task }) => ({ ...task, about: parseJson(about) }))
    },
  }
}
