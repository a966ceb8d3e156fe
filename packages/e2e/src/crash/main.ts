import { parseArgs } from 'node:util'
import { openStages, stageOf } from './draw.ts'
import { formatFailure, formatReport, formatVerdict } from './report.ts'
import type { Verdict } from './scenario.ts'

// `npm run test:crash [-- --minutes 30] [--seed N] [--scenarios N]`: plays scenarios of growing seeds until the time is over, prints each in a line and a report at the end; fails when one of them did.
const values = given()
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const [minutes, scenarios] = [Number(values.minutes), Number(values.scenarios)]
if (![seed, minutes, scenarios].every((number) => Number.isFinite(number) && number >= 0)) {
  refuse('Minutes, seed and scenarios are numbers.')
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)
print(`seed ${seed}`)
const start = performance.now()
const elapsedMin = (): number => (performance.now() - start) / 60_000
const stages = openStages()
const verdicts: Verdict[] = []
let isWanted = true
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (!isWanted) process.exit(130)
    isWanted = false
    print('It ends after the scenario that is under way, with its report; once more: at once.')
  })
}
for (let index = 0; index < scenarios && isWanted && elapsedMin() < minutes; index++) {
  const began = performance.now()
  const stage = stageOf(seed + index, stages)
  const verdict = await stage.play(seed + index)
  verdicts.push(verdict)
  print(formatVerdict(verdict, (performance.now() - began) / 1000))
  // What a failed scenario left behind must not fail the next one.
  if (verdict.violations.length > 0) {
    print(formatFailure(verdict))
    await stage.close()
  }
}
for (const stage of stages) await stage.close()
print(`\n${formatReport(seed, verdicts, elapsedMin())}`)
process.exit(verdicts.length > 0 && verdicts.every(({ violations }) => violations.length === 0) ? 0 : 1)

function given(): { readonly minutes: string; readonly seed?: string | undefined; readonly scenarios: string } {
  try {
    return parseArgs({ options: { minutes: { type: 'string', default: '30' }, seed: { type: 'string' }, scenarios: { type: 'string', default: '1000000' } } })
      .values
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function refuse(why: string): never {
  process.stderr.write(`${why}\nUsage: npm run test:crash -- [--minutes 30] [--seed N] [--scenarios N]\n`)
  process.exit(2)
}
