export { answerLock } from './answer-lock.ts'
export { storedBudgets, type Budgets, type Spent } from './budgets/stored-budgets.ts'
export { BUDGET_LID, type BudgetDecision } from './budgets/question.ts'
export type { ChildEnd, ChildRuns, ChildStart } from './children/child-runs.ts'
export { childrenOf, stopChildren, storedChildren, type StoredChildren } from './children/stored-children.ts'
export { createCatalog, type Catalog } from './catalog.ts'
export { systemClock, type Clock } from './clock.ts'
export { captureConsole } from './console-capture.ts'
export { guardExit } from './exit-guard.ts'
export type {
  ChildRun,
  FlowContext,
  FlowName,
  EscalationStep,
  LockOptions,
  ModelCall,
  Retries,
  RunFiles,
  RunLog,
  RunSessions,
  StepInfo,
  StepOptions,
  ToolCall,
} from './context.ts'
export { createBlobContents } from './contents/blob-contents.ts'
export { createBlobFiles } from './contents/blob-files.ts'
export type { Contents, FileContents } from './contents/port.ts'
export { claimResult, wholeData } from './contents/records.ts'
export { durationMs, type Duration } from './duration.ts'
export { CancelledError, ChildRunError, errorValue, LockExpiredError, NondeterminismError, RunTimeoutError, StepError, StepTimeoutError } from './errors.ts'
export { executeTry } from './executor/execute.ts'
export { defaultLimits, type RunRequests, type TryDeps, type TryLimits, type TryOutcome, type TryRun } from './executor/try.ts'
export { finaliseRun, type Finalise, type RunEnd } from './executor/finalise.ts'
export { createDirectLauncher } from './direct/launcher.ts'
export type { DirectLauncherOptions } from './direct/options.ts'
export { file, files, fileValues, withValueAt, type FileFieldOptions, type FilesFieldOptions, type FileValue } from './files/field.ts'
export { FileFolder, type GivenFrom, type OpenedFile } from './files/folder.ts'
export { fileTooLarge, runFilesTooLarge, sizeText, tooManyFiles } from './files/limits.ts'
export { isAccepted, mediaType } from './files/media-type.ts'
export { createPanelFiles, type PanelFilesOptions } from './files/panel-files.ts'
export { cleanPath, FILE_SIDES, sidedPath, type FileSide } from './files/path.ts'
export { defaultFileLimits, type FileContent, type FileLimits, type FileStore, type RunFile } from './files/port.ts'
export { defineFlow, flowEntry, flowsOf, isFlow, type Flow, type FlowDefinition } from './flow.ts'
export type { AnswerOutcome, ControlOutcome, FieldError, Launcher, RunProcess, StartRun } from './launcher.ts'
export { describeFork, forkRun, type ForkDeps, type ForkRequest } from './fork/fork-run.ts'
export type { ForkEdits, ForkPlan } from './fork/plan.ts'
export { invalidInputs, newRun, orUnavailable, unknownFlow } from './new-run.ts'
export { createDirectSchedules, type DirectSchedulesOptions } from './schedules/direct-schedules.ts'
export { latestMs } from './schedules/due-starts.ts'
export type { NewSchedule, Schedules } from './schedules/port.ts'
export { startDueById, type StartDeps } from './schedules/start.ts'
export { storedSchedules, type StoredSchedulesDeps } from './schedules/stored-schedules.ts'
export { checkAnswer, checkInputs, type Checked } from './schema-check.ts'
export { defaultWorkspaceLimits, type WorkspaceFile, type WorkspaceKey, type WorkspaceLimits, type WorkspaceUse } from './workspace/port.ts'
export { Workspaces } from './workspace/workspaces.ts'
export { defineChatFlow, type ChatFlowDefinition } from './chat/define.ts'
export { defineCompressFlow } from './chat/compress.ts'
export type { ChatModel } from './chat/model.ts'
export { chatTool, type ChatTool, type ToolInfo } from './chat/tools.ts'
export type { ChatTurn, NewMessage } from './chat/turn.ts'
export { defaultProcessLimits, type ProcessLimits, type ProcessOptions, type ProcessResult } from './process/port.ts'
export type { CommandOptions } from './chat/command.ts'
