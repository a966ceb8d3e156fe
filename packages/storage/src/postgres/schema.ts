import type { Escalation, LockState, RunStatus } from '@koco/core'
import { sql, type ColumnType, type Generated, type Kysely } from 'kysely'
import type { StoredCheckpoint } from '../checkpoint-row.ts'
import type { Schema } from '../migrations.ts'
import type { NamedContent } from '../named-contents.ts'
import type { CheckpointTask } from '../port/checkpoints.ts'
import type { EntryRow } from '../sessions/entry.ts'
import type { ModelTally, RunTally } from '../tally.ts'
import type { DeliveryRow, WebhookRow } from '../webhook-rows.ts'
import { createEventTables, createRunContents } from './tables/events.ts'
import { createRunTables, createChildIndex, createProjection, createHealthTable, addDeaths } from './tables/runs.ts'
import { addEscalations, addLockPeople, createPeopleTables } from './tables/people.ts'
import { createFlowTables, createFlowVersions, createScheduleTable } from './tables/flows.ts'
import { createSessionTables, createCheckpointTable, createCheckpointTasks } from './tables/sessions.ts'
import { createTallyTables, createBudgets } from './tables/spending.ts'
import { addWebhookPauses, createWebhookTables } from './tables/webhooks.ts'

/** Columns named `…_at` are unix seconds. JSON is kept as text, as it was written, but for `tags`. */
export type ExecutionTables = {
  runs: RunTable
  locks: LockTable
  lock_answers: { fid: string; lid: string; answer: string; answered_by: string; answered_at: number; reason: string | null }
  run_controls: { fid: string; wanted: 'run' | 'pause' | 'cancel'; asked_by: string; reason: string | null; asked_at: number }
  run_epochs: { fid: string; epoch: number; last_seq: number }
  run_holes: { fid: string; from_epoch: number; from_seq: number; to_epoch: number; to_seq: number }
  dead_events: { id: Generated<number>; fid: string; position: string; reason: string; body: string; at: number }
  flow_versions: { name: string; version: string; entry: string; since: number }
  flow_workers: { id: string; launcher: string; host: string; pid: number; seen_at: number; flows: ColumnType<ServedVersion[], string, string> }
  schedules: ScheduleTable
  chat_sessions: SessionTable
  session_entries: EntryRow & { session: string }
  run_days: { day: number; flow: string; username: string; shard: number; outcome: RunTally['outcome']; bucket: number; runs: number }
  model_days: ModelDayTable
  budgets: { id: string; about: string }
  checkpoints: StoredCheckpoint
  run_contents: NamedContent
  checkpoint_tasks: { kind: CheckpointTask['kind']; session: string; about: string }
  webhooks: WebhookRow
  webhook_deliveries: Omit<DeliveryRow, 'state' | 'attempts'> & { state: Generated<DeliveryRow['state']>; attempts: Generated<number> }
  projection: { version: number; cursor: string | null }
  store_health: { id: number; at: number }
}

/** `waiting`: how many stored events stand above the last position, behind a hole. `epoch_top`: the latest epoch that was given out. */
export type RunTable = {
  fid: string
  flow: string
  version: string | null
  username: string
  summary: string
  tags: ColumnType<string[], string, string>
  parent: string | null
  inputs: string
  status: RunStatus
  created_at: number
  started_at: number | null
  finished_at: number | null
  wake_at: number | null
  deaths: Generated<number>
  attempt: Generated<number>
  events: Generated<number>
  last_epoch: Generated<number>
  last_seq: Generated<number>
  waiting: Generated<number>
  open_locks: Generated<number>
  has_locks: Generated<boolean>
  final: Generated<string>
  error: string | null
  usage: string | null
  progress: string | null
  launcher: string
  archived: Generated<boolean>
  idempotency_key: string | null
  epoch_top: Generated<number>
  search: string
  /** Changes when the whole row is written anew by other hands than the folding writer's. */
  rewritten: Generated<number>
}

/** `answer` is the JSON text `null` while there is none. */
export type LockTable = {
  fid: string
  lid: string
  name: string
  form: string
  data: string
  asked_at: number
  expires_at: number | null
  status: LockState['status']
  answer: string
  answered_by: string | null
  answered_at: number | null
  reason: string | null
  assignees: ColumnType<string[], string, string>
  roles: ColumnType<string[], string, string>
  escalations: ColumnType<Escalation[] | null, string | null, string | null>
  escalated: number | null
}

/** `about` is the JSON text of flow, inputs, timing, missed, overlap and createdAt. */
export type ScheduleTable = {
  id: string
  username: string
  launcher: string
  about: string
  paused: boolean
  next_at: number | null
  last_at: number | null
  last_fid: string | null
  problem: string | null
}

/** `turn` is the run that holds the session; `session` the row of a list as JSON text, `sum` its CRC-32. */
export type SessionTable = {
  id: string
  username: string
  search: string
  pinned: boolean
  archived: boolean
  updated_at: number
  turn: string | null
  session: string
  sum: number
  draft: string | null
}
/** What one flow and user spent on one model on one day, in parts. */
export type ModelDayTable = Omit<ModelTally, 'user' | 'durationS'> & { username: string; shard: number; duration_s: number }

/** A version of a flow that a worker serves. */
type ServedVersion = { readonly name: string; readonly version: string | null }

/** A query builder that knows these tables. */
export type ExecutionDatabase = Kysely<ExecutionTables>

/** Versions of the execution schema; a step is never changed once it was released. */
export const EXECUTION_SCHEMA: Schema = {
  store: 'execution',
  migrations: [
    {
      name: 'events, runs, locks, controls, dead events, flows',
      async up(db) {
        await createEventTables(db)
        await createRunTables(db)
        await createPeopleTables(db)
        await createFlowTables(db)
        await createHealthTable(db)
      },
    },
    { name: 'children of runs', up: createChildIndex },
    { name: 'schedules', up: createScheduleTable },
    { name: 'sessions', up: createSessionTables },
    { name: 'who may answer locks, and why they did', up: addLockPeople },
    { name: 'tallies of runs and models by day', up: createTallyTables },
    { name: 'budgets', up: createBudgets },
    { name: 'checkpoints', up: createCheckpointTable },
    { name: 'versions of flows', up: createFlowVersions },
    { name: 'versions of the projector', up: createProjection },
    { name: 'contents that events name', up: createRunContents },
    { name: 'what is to be done for sessions', up: createCheckpointTasks },
    { name: 'webhooks', up: createWebhookTables },
    { name: 'deaths of resting runs', up: addDeaths },
    { name: 'since when webhooks are paused, and why', up: addWebhookPauses },
    { name: 'escalations of locks', up: addEscalations },
  ],
}

/** JSON text for a `jsonb` column. */
export function jsonb(value: unknown) {
  return sql<string>`${JSON.stringify(value)}::jsonb`
}
