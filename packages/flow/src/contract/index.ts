export { describeLauncher } from './describe-launcher.ts'
export type { LauncherUnderTest, OpenLauncher } from './under-test.ts'
