export {
  createTestContext,
  EXPIRE,
  runFlow,
  type TestAnswer,
  type TestChild,
  type TestChildRun,
  type TestContext,
  type TestRun,
  type TestRunOptions,
} from '@koco/flow/testing'
