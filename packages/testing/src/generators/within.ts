/**
 * The limits of an asynchronous property in a test of `testMs`: a run that hangs is a counterexample, and shrinking one ends while there is time to tell it. Without them the test's own limit comes first, and
 * nobody learns what failed, or from which seed.
 */
export function within(testMs: number): { readonly timeout: number; readonly interruptAfterTimeLimit: number; readonly markInterruptAsFailure: true } {
  return { timeout: testMs / 2, interruptAfterTimeLimit: testMs * 0.8, markInterruptAsFailure: true }
}
