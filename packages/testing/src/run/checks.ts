import { runTool, type Outcome } from './command.ts'
import type { Counts } from './report.ts'

type Check = { readonly name: string; readonly tool: string; readonly args: readonly string[] }

const IN_PARALLEL = 2

// The longest first, so that two at a time end soonest.
const CHECKS: readonly Check[] = [
  { name: 'types', tool: 'tsc', args: ['-b'] },
  { name: 'lint', tool: 'oxlint', args: ['-c', '.config/oxlint.json', '--type-aware', '--deny-warnings', 'packages', '.config'] },
  { name: 'dead code', tool: 'knip', args: ['-c', '.config/knip.json', '--no-progress'] },
  { name: 'house rules', tool: 'vitest', args: ['run', '-c', '.config/vitest.config.ts', '--project', 'unit', 'packages/testing/src/tidy'] },
  { name: 'layers', tool: 'depcruise', args: ['-c', '.config/dependency-cruiser.mjs', '-T', 'err-long', 'packages'] },
  { name: 'format', tool: 'oxfmt', args: ['-c', '.config/oxfmt.json', '--check', 'packages', '.config'] },
]

/** Runs all checks, a line each through `print`, details only of what failed. */
export async function runChecks(print: (line: string) => void): Promise<Counts> {
  const waiting = [...CHECKS]
  const failures: string[] = []
  const worker = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const startedAt = performance.now()
      const outcome = await runTool(check.tool, check.args).catch((error: Error): Outcome => ({ code: 1, output: error.message }))
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      if (outcome.code !== 0) failures.push(`check: ${check.name}`)
      print(`${outcome.code === 0 ? 'ok    ' : 'FAILED'} ${check.name.padEnd(12)}${seconds.padStart(6)} s`)
      if (outcome.code !== 0) print(`${outcome.output.trim()}\n(again: npx ${check.tool} ${check.args.join(' ')})\n`)
    }
  }
  await Promise.all(Array.from({ length: IN_PARALLEL }, worker))
  return { passed: CHECKS.length - failures.length, failed: failures.length, skipped: 0, failures }
}
