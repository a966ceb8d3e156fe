export {
  createTestContext,
  EXPIRE,
  OpenAiServer,
  runFlow,
  type ChatRequest,
  type Scripted,
  type TestAnswer,
  type TestChild,
  type TestChildRun,
  type TestContext,
  type TestRun,
  type TestRunOptions,
} from '@koco/flow/testing'
