import { inject, TestRunner, type RunnerTask, type RunnerTestFile } from 'vitest'

/** vitest's runner, but every test of a project whose server is missing (with the person's leave) is skipped, its hooks too, and counted as skipped. */
export default class SkippingRunner extends TestRunner {
  /** Called by vitest before the collected files run. */
  onBeforeRunFiles(files: RunnerTestFile[]): void {
    if (inject('skipped')) files.forEach(skip)
  }
}

function skip(task: RunnerTask): void {
  task.mode = 'skip'
  if ('tasks' in task) task.tasks.forEach(skip)
}
