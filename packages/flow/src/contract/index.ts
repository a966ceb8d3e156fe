export { describeFileStore, ESCAPES, freshFid, type FileStoreUnderTest } from './describe-file-store.ts'
export { describeChildren } from './describe-children.ts'
export { describeLauncher } from './describe-launcher.ts'
export type { LauncherUnderTest, OpenLauncher } from './under-test.ts'
