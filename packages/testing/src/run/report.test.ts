// Goal: `npm test` never says that all is well when it is not. Method: reports as vitest writes them, good, broken and missing.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newFolder } from '../servers/process.ts'
import { addCounts, countReport, summaryLine } from './report.ts'

let folder: string
beforeAll(() => (folder = newFolder('report-test')))
afterAll(() => rmSync(folder, { recursive: true }))

function reportOf(...files: readonly (readonly [status: string, ...tests: string[]])[]): string {
  const file = join(folder, 'report.json')
  const testResults = files.map(([status, ...tests]) => ({ status, assertionResults: tests.map((one) => ({ status: one })) }))
  writeFileSync(file, JSON.stringify({ testResults }))
  return file
}

test('a good run counts as it is', () => {
  expect(countReport(reportOf(['passed', 'passed', 'pending'], ['passed', 'passed', 'passed', 'todo']), 0)).toEqual({ passed: 3, failed: 0, skipped: 2 })
})

test('a file that does not load counts as failed, one with failed tests does not count twice', () => {
  expect(countReport(reportOf(['failed'], ['failed', 'passed', 'failed']), 1)).toEqual({ passed: 1, failed: 2, skipped: 0 })
})

test('a bad exit without a failed test counts as failed', () => {
  expect(countReport(reportOf(['passed', 'passed']), 1).failed).toBe(1)
})

test('no test at all counts as failed', () => {
  expect(countReport(reportOf(['passed']), 0).failed).toBe(1)
})

test('a missing or broken report counts as failed', () => {
  expect(countReport(join(folder, 'none.json'), 0).failed).toBe(1)
  const file = join(folder, 'half.json')
  writeFileSync(file, '{"numPassed')
  expect(countReport(file, 0).failed).toBe(1)
})

test('the last line names skipped tests only when there are some', () => {
  expect(
    summaryLine(
      addCounts([
        { passed: 6, failed: 0, skipped: 0 },
        { passed: 2, failed: 1, skipped: 0 },
      ]),
    ),
  ).toBe('8 passed, 1 failed')
  expect(summaryLine({ passed: 8, failed: 0, skipped: 4 })).toBe('8 passed, 0 failed, 4 skipped')
})
