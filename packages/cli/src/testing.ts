export { createTestContext, EXPIRE, runFlow, type TestAnswer, type TestContext, type TestRun, type TestRunOptions } from '@koco/flow/testing'
