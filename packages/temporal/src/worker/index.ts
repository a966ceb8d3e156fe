export { buildWorkflowBundle, BUNDLE_FILE } from './bundle.ts'
export { startTemporalWorker, type TemporalWorker, type TemporalWorkerOptions } from './worker.ts'
