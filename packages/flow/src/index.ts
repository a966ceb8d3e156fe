export type { AnswerOutcome, ControlOutcome, FieldError, Launcher, RunProcess, StartRun } from './launcher.ts'
