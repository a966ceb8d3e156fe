export { verifyBackup, type BackupManifest } from './backup/manifest.ts'
export { restoreBackup } from './backup/restore.ts'
export { takeBackup, type BackupPart } from './backup/take.ts'
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
export type { EndedRun, RunCopy, SessionCopy, StoreKeeper } from './keeping.ts'
export { moveExecutionStore, type MoveReport } from './moving/move-store.ts'
export { inputsInShort } from './inputs-in-short.ts'
export type { Identity, NewUser, SigningKey, Ticket, TokenFamily, User } from './admin/port.ts'
export { isUserName } from './user-name.ts'
export { foldRun, type EpochSeal, type FoldResult, type Hole } from './projection.ts'
export { coldLoad } from './snapshots/cold-load.ts'
export { SnapshotFolder, type SnapshotKind } from './snapshots/files.ts'
export { keepSnapshots } from './snapshots/keep-snapshots.ts'
export { rebuild, upgradeProjections } from './snapshots/rebuild.ts'
export { recoverLostIndex } from './snapshots/recover.ts'
export { takeSnapshot } from './snapshots/take.ts'
export { maskDatabaseUrl, parseDatabaseUrl, type DatabaseUrl } from './url.ts'
export { addSums, dayOf, IMPORTED, secondsOf, type ModelSums } from './tally.ts'
export type {
  AdminStore,
  ApiKey,
  AuditEntry,
  AuditQuery,
  AuditStore,
  Budget,
  ChildSummary,
  ControlRequest,
  DeadEvent,
  DeadEventStore,
  EventPage,
  EventQuery,
  EventReader,
  EventWriter,
  ExecutionStore,
  FlowEntry,
  FlowRegistry,
  FlowWorker,
  ListedFlow,
  InsightQuery,
  InsightStore,
  ListedRun,
  LockAnswer,
  LockStore,
  ModelUsage,
  Page,
  Role,
  RunCount,
  RunQuery,
  RunRecords,
  RunStore,
  RunSummary,
  Schedule,
  ScheduleStep,
  ScheduleStore,
  Session,
  Timing,
  WriteAlarm,
  WriteOutcome,
  WriteResult,
} from './port.ts'
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
} from './sessions/port.ts'
export type {
  CheckpointLock,
  CheckpointOrigin,
  CheckpointQuery,
  CheckpointRow,
  CheckpointStore,
  CheckpointTotals,
  CheckpointWords,
} from './checkpoints/port.ts'
