// `npm test [-- vitest's arguments]`: the checks, then every test with its real servers. The last line says how many passed and failed, over everything.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChecks } from './run/checks.ts'
import { runTool } from './run/command.ts'
import { addCounts, countReport, summaryLine } from './run/report.ts'

const print = (line: string) => process.stdout.write(`${line}\n`)

print('Checks')
const checks = await runChecks(print)

print('\nTests')
const folder = mkdtempSync(join(tmpdir(), 'koco-report-'))
const report = join(folder, 'report.json')
const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`]
const { code } = await runTool('vitest', ['run', '-c', '.config/vitest.config.ts', ...reporters, ...process.argv.slice(2)], true)
const tests = countReport(report, code)
rmSync(folder, { recursive: true })

const total = addCounts([{ ...checks, skipped: 0 }, tests])
print(`\n${summaryLine(total)}`)
process.exitCode = total.failed === 0 ? 0 : 1
