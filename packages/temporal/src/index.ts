export { checkTemporal } from './client/check.ts'
export { createTemporalLauncher, type TemporalLauncherOptions } from './client/launcher.ts'
export { TemporalServer, type TemporalSettings } from './client/server.ts'
export type { Log } from './log.ts'
