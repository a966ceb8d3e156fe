import { readFileSync } from 'node:fs'

/** How many tests of a kind there were. */
export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number }

/** What of vitest's JSON report is read here; its sums leave skipped tests out. */
type Report = { readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly { readonly status: string }[] }[] }

/**
 * Counts a vitest run. A file that did not load counts as a failed test, and so does a run that ended badly without one: a crash, an error outside tests, no report, no test at all.
 */
export function countReport(reportFile: string, exitCode: number): Counts {
  const report = readReport(reportFile)
  if (!report) return { passed: 0, failed: 1, skipped: 0 }
  const tests = report.testResults.flatMap((file) => file.assertionResults)
  const passed = tests.filter((test) => test.status === 'passed').length
  const broken = report.testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')).length
  const failed = tests.filter((test) => test.status === 'failed').length + broken
  const skipped = tests.length + broken - passed - failed
  const silent = failed === 0 && (exitCode !== 0 || passed + skipped === 0)
  return { passed, failed: silent ? 1 : failed, skipped }
}

/** The last line of `npm test`. */
export function summaryLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** The sum of several counts. */
export function addCounts(counts: readonly Counts[]): Counts {
  const sum = (key: keyof Counts) => counts.reduce((total, one) => total + one[key], 0)
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') }
}

function readReport(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
