export type { BatchFigures, CrashPoint, DeadReason, SpoolerLog, SpoolerMetrics, SpoolerOptions } from './options.ts'
export { createSpooler, type Spooler, type SpoolerStatus } from './spooler.ts'
