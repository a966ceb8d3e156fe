export { verifyBackup, type BackupManifest, type BackupPart } from './backup/manifest.ts'
export { restoreBackup } from './backup/restore.ts'
export { takeBackup } from './backup/take.ts'
export { copyFolder } from './backup/copy-folder.ts'
export { adminSchemaVersion, migrateAdminStore, moveAdmin, openAdminStore, type AdminStoreSettings } from './open-admin-store.ts'
export {
  createEventWriter,
  executionSchemaVersion,
  migrateExecutionStore,
  openExecutionStore,
  type ExecutionStoreSettings,
  type SchemaVersions,
} from './open-execution-store.ts'
export type { EndedRun, RunCopy, SessionCopy, StoreKeeper } from './port/keeper.ts'
export { moveExecutionStore, type MoveReport } from './moving/move-store.ts'
export { contentsInUse } from './named-contents.ts'
export { inputsInShort } from './inputs-in-short.ts'
export type { Identity, ListedFamily, SigningKey, Ticket, TokenFamily } from './port/sign-in.ts'
export { isUserName } from './user-name.ts'
export { foldRun, type EpochSeal, type FoldResult, type Hole } from './projection.ts'
export { coldLoad, restoreSnapshot, type ColdLoad } from './snapshots/cold-load.ts'
export { SnapshotFolder, type SnapshotKind } from './snapshots/files.ts'
export { keepSnapshots } from './snapshots/keep-snapshots.ts'
export { rebuild, upgradeProjections } from './snapshots/rebuild.ts'
export { recoverLostIndex } from './snapshots/recover.ts'
export { takeSnapshot } from './snapshots/take.ts'
export { maskDatabaseUrl, parseDatabaseUrl, type DatabaseUrl } from './url.ts'
export { addSums, dayOf, IMPORTED, secondsOf, type ModelSums } from './tally.ts'
export type { AdminStore, ApiKey, AuditEntry, AuditQuery, AuditStore, Session } from './port/admin.ts'
export type { NewUser, Role, User } from './port/users.ts'
export type { ListedView, SavedView } from './port/views.ts'
export type { Budget } from './port/budgets.ts'
export type { Delivery, DeliveryOutcome, Webhook, WebhookAlarm, WebhookChange, WebhookPause, WebhookStore } from './port/webhooks.ts'
export type { ChildSummary, ControlRequest, ListedRun, RunQuery, RunStore, RunSummary } from './port/runs.ts'
export type { ContentIndex, ContentTotals } from './port/contents.ts'
export type { DeadEvent, DeadEventStore } from './port/dead-events.ts'
export type { EventPage, EventQuery, EventReader, EventWriter, RunRecords, WriteAlarm, WriteOutcome, WriteResult } from './port/events.ts'
export type { ExecutionStore } from './port/execution-store.ts'
export type { FlowEntry, FlowRegistry, FlowWorker, ListedFlow } from './port/flows.ts'
export type { InsightQuery, InsightStore, ModelUsage, RunCount } from './port/insights.ts'
export type { LockAnswer, LockStore } from './port/locks.ts'
export type { Page } from './port/page.ts'
export type { Schedule, ScheduleStep, ScheduleStore, Timing } from './port/schedules.ts'
export { textOfContent } from './sessions/transcript.ts'
export type {
  ActiveTurn,
  ChatMessage,
  ChatSession,
  CommandOutcome,
  Conversation,
  ModelUse,
  NewSession,
  SessionCommand,
  SessionHit,
  SessionLabels,
  SessionStore,
  Steer,
  TurnEnd,
  WaitingMessage,
} from './port/sessions.ts'
export type {
  CheckpointLock,
  CheckpointOrigin,
  CheckpointQuery,
  CheckpointRow,
  CheckpointStore,
  CheckpointTask,
  CheckpointTotals,
  CheckpointWords,
} from './port/checkpoints.ts'
