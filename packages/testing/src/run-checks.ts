// `npm run check`: format, lint with types, types, layers, dead code and house rules.
import { runChecks } from './run/checks.ts'

const { failed } = await runChecks((line) => process.stdout.write(`${line}\n`))
process.exitCode = failed === 0 ? 0 : 1
