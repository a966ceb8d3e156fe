import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

/** How many tests of a kind there were, and some lines about each that failed. */
export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number; readonly failures: readonly string[] }

/** What of vitest's JSON report is read here; its sums leave skipped tests out. `message`: why a file did not load. */
type Report = { readonly testResults: readonly FileResult[] }
type FileResult = { readonly name: string; readonly status: string; readonly message?: string; readonly assertionResults: readonly TestResult[] }
type TestResult = {
  readonly status: string
  readonly ancestorTitles?: readonly string[]
  readonly title?: string
  readonly failureMessages?: readonly string[]
}

const LINE_MAX = 300
const LINES_MAX = 120

/**
 * Counts a vitest run. A file that did not load counts as a failed test, and so does a run that ended badly without one: a crash, an error outside tests, no report, no test at all. Files are named by
 * their paths from `root`.
 */
export function countReport(reportFile: string, exitCode: number, root: string): Counts {
  const report = readReport(reportFile)
  if (!report) return { passed: 0, failed: 1, skipped: 0, failures: [`the tests left no report and ended with ${exitCode}: see above`] }
  const tests = report.testResults.flatMap((file) => file.assertionResults)
  const passed = tests.filter((test) => test.status === 'passed').length
  const failures = report.testResults.flatMap((file) => failuresOf(file, root))
  const skipped = tests.length - passed - tests.filter((test) => test.status === 'failed').length
  if (failures.length === 0 && passed + skipped === 0) failures.push('there was no test')
  if (failures.length === 0 && exitCode !== 0) failures.push(`no test failed, and yet the tests ended with ${exitCode}: see above`)
  return { passed, failed: failures.length, skipped, failures }
}

/** The last line of `npm test`. */
export function summaryLine({ passed, failed, skipped }: Omit<Counts, 'failures'>): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** The sum of several counts. */
export function addCounts(counts: readonly Counts[]): Counts {
  const sum = (key: 'passed' | 'failed' | 'skipped') => counts.reduce((total, one) => total + one[key], 0)
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped'), failures: counts.flatMap(({ failures }) => failures) }
}

function failuresOf({ name, status, message, assertionResults }: FileResult, root: string): string[] {
  const file = relative(root, name)
  const failed = assertionResults.filter((test) => test.status === 'failed')
  if (failed.length === 0) return status === 'failed' ? [failure(file, message)] : []
  return failed.map(({ ancestorTitles = [], title = '', failureMessages }) =>
    failure([file, ...ancestorTitles, title].join(' > '), failureMessages?.join('\n')),
  )
}

/** What failed, and why: the messages with their places in our files. */
function failure(what: string, why = ''): string {
  const lines = why.split('\n').filter((line) => line.trim() !== '' && !/^\s+at .*(?:node_modules|node:)/.test(line))
  return [what, ...lines.slice(0, LINES_MAX).map((line) => `    ${line.trimEnd().slice(0, LINE_MAX)}`)].join('\n')
}

function readReport(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
