import { parseJson, toJsonText } from '@koco/core'
import type { CheckpointTask } from '../port/checkpoints.ts'
import type { Db } from './connection.ts'

/** The reads of what is to be done for sessions. */
export function checkpointTaskQueries(db: Db) {
  const list = db.prepare<[string], Omit<CheckpointTask, 'about'> & { readonly about: string }>(
    'SELECT kind, session, about FROM checkpoint_tasks WHERE kind = ? ORDER BY session',
  )
  return {
    checkpointTasks: (kind: CheckpointTask['kind']): CheckpointTask[] => list.all(kind).map(({ about, ...task }) => ({ ...task, about: parseJson(about) })),
  }
}

/** The writes of it. */
export function checkpointTaskChanges(db: Db) {
  const set = db.prepare('INSERT OR REPLACE INTO checkpoint_tasks (kind, session, about) VALUES (?, ?, ?)')
  const drop = db.prepare('DELETE FROM checkpoint_tasks WHERE kind = ? AND session = ?')
  return {
    setCheckpointTask({ kind, session, about }: CheckpointTask): void {
      set.run(kind, session, toJsonText(about))
    },
    dropCheckpointTask: (kind: CheckpointTask['kind'], session: string): boolean => drop.run(kind, session).changes > 0,
  }
}
