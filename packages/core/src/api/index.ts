export type { ApiKey, BrowserSession, Me, Providers, Role, SignIn, User } from './account.ts'
export type {
  AutoCheckpoints,
  Checkpoint,
  CheckpointComparison,
  CheckpointTotals,
  CheckpointTree,
  FileMark,
  Merge,
  Restored,
  RestorePlan,
  Said,
  WholeCheckpoint,
} from './checkpoint.ts'
export type { TimelineEvent } from './event.ts'
export type { RunFile, Upload, Workspace } from './file.ts'
export type { Flow, FlowDetail, FlowWorker } from './flow.ts'
export type { ComparedStep, DiffLine, ForkPlan, RunComparison } from './fork.ts'
export type { Insights, ModelSums, Sums } from './insights.ts'
export type { Lock } from './lock.ts'
export type { AuditEntry, Budget, ContentTotals, DeadEvent, Delay, KeptContent, Operations } from './operations.ts'
export type { Page } from './page.ts'
export type { BulkOutcome, ImportedRun, Run, RunDetail } from './run.ts'
export type { Schedule } from './schedule.ts'
export type { SavedView } from './view.ts'
export type { Conversation, Message, Session, SessionHit, SessionQueue, SessionUsage } from './session.ts'
export type { Webhook, WebhookDelivery } from './webhook.ts'
