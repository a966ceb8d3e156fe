// Goal: `npm test` never says that all is well when it is not, and names what is not. Method: reports as vitest writes them, good, broken and missing.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newFolder } from '../servers/process.ts'
import { addCounts, countReport, summaryLine } from './report.ts'

let folder: string
beforeAll(() => (folder = newFolder('report-test')))
afterAll(() => rmSync(folder, { recursive: true }))

function write(testResults: readonly object[]): string {
  const file = join(folder, 'report.json')
  writeFileSync(file, JSON.stringify({ testResults }))
  return file
}

function reportOf(...files: readonly (readonly [status: string, ...tests: string[]])[]): string {
  return write(files.map(([status, ...tests]) => ({ name: '/koco/a.test.ts', status, assertionResults: tests.map((one) => ({ status: one })) })))
}

const count = (report: string, exitCode: number) => countReport(report, exitCode, '/koco')

test('a good run counts as it is', () => {
  const report = reportOf(['passed', 'passed', 'pending'], ['passed', 'passed', 'passed', 'todo'])
  expect(count(report, 0)).toEqual({ passed: 3, failed: 0, skipped: 2, failures: [] })
})

test('a file that does not load counts as failed, one with failed tests does not count twice', () => {
  expect(count(reportOf(['failed'], ['failed', 'passed', 'failed']), 1)).toMatchObject({ passed: 1, failed: 2, skipped: 0 })
})

test('each failure is named with its file, its groups and why, without the places that are not ours', () => {
  const failed = {
    status: 'failed',
    ancestorTitles: ['runs', 'in lists'],
    title: 'come newest first',
    failureMessages: ['Error: 3 is not 4\n    at here', 'Error: seen\n\n    at file:///node_modules/x.js'],
  }
  const report = write([
    { name: '/koco/packages/a.test.ts', status: 'failed', assertionResults: [{ ...failed }, { status: 'passed' }] },
    { name: '/koco/packages/b.test.ts', status: 'failed', message: 'SyntaxError: what is this', assertionResults: [] },
  ])
  expect(count(report, 1).failures).toEqual([
    'packages/a.test.ts > runs > in lists > come newest first\n    Error: 3 is not 4\n        at here\n    Error: seen',
    'packages/b.test.ts\n    SyntaxError: what is this',
  ])
})

test('a bad exit without a failed test counts as failed', () => {
  expect(count(reportOf(['passed', 'passed']), 1)).toMatchObject({ failed: 1, failures: ['no test failed, and yet the tests ended with 1: see above'] })
})

test('no test at all counts as failed', () => {
  expect(count(reportOf(['passed']), 0)).toMatchObject({ failed: 1, failures: ['there was no test'] })
})

test('a missing or broken report counts as failed', () => {
  expect(count(join(folder, 'none.json'), 0).failed).toBe(1)
  const file = join(folder, 'half.json')
  writeFileSync(file, '{"numPassed')
  expect(count(file, 0)).toMatchObject({ failed: 1, failures: ['the tests left no report and ended with 0: see above'] })
})

test('counts add up, and the last line names skipped tests only when there are some', () => {
  const sum = addCounts([
    { passed: 6, failed: 0, skipped: 0, failures: [] },
    { passed: 2, failed: 1, skipped: 0, failures: ['lint'] },
  ])
  expect(sum.failures).toEqual(['lint'])
  expect(summaryLine(sum)).toBe('8 passed, 1 failed')
  expect(summaryLine({ passed: 8, failed: 0, skipped: 4 })).toBe('8 passed, 0 failed, 4 skipped')
})
