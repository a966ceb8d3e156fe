// `npm test [-- vitest's arguments]`: the checks, then every test with its real servers. The last line says how many passed and failed, over everything; the lines before it name what failed.
import { join } from 'node:path'
import { runChecks } from './run/checks.ts'
import { ROOT, runTool } from './run/command.ts'
import { addCounts, countReport, summaryLine } from './run/report.ts'
import { temporaryFolder } from './run/temporary.ts'

const print = (line: string) => process.stdout.write(`${line}\n`)

print('Checks')
const checks = await runChecks(print)

print('\nTests')
const temporary = temporaryFolder()
const report = join(temporary.path, 'report.json')
const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`]
const args = ['run', '-c', '.config/vitest.config.ts', ...reporters, ...process.argv.slice(2)]
const { code } = await runTool('vitest', args, { show: true, env: { TMPDIR: temporary.path } })
const tests = countReport(report, code, ROOT)
const left = (await temporary.close()).map((name) => `left in the temporary folder: ${name}`)

const total = addCounts([checks, tests, { passed: 0, failed: left.length, skipped: 0, failures: left }])
if (total.failed > 0) print(['\nFailed:', ...total.failures.map((failure) => `  ${failure}`)].join('\n'))
print(`\n${summaryLine(total)}`)
process.exitCode = total.failed === 0 ? 0 : 1
