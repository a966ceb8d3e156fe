export type { TestChild, TestChildRun } from './children.ts'
export { createTestContext, type TestContext } from './test-context.ts'
export { runFlow, type TestRun, type TestRunOptions } from './run-flow.ts'
export { EXPIRE, type TestAnswer } from './world.ts'
