import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { benches } from './benches.ts'
import type { Figure } from './figure.ts'
import { formatTable } from './table.ts'

// `npm run bench [-- NAME…] [--json FILE]`: runs the benches whose name starts with one of the names (without one all but those that take long), prints the table, and the same as JSON.
const { values, positionals } = given()
const chosen = benches.filter((bench) => (positionals.length === 0 ? bench.onlyNamed === undefined : positionals.some((name) => bench.name.startsWith(name))))
if (chosen.length === 0) refuse(`No bench is named ${positionals.join(', ')}.`)

const figures: Figure[] = []
for (const bench of chosen) {
  process.stderr.write(`${bench.name}: ${bench.about}\n`)
  const measured = await bench.run()
  figures.push(...measured)
  process.stderr.write(`${formatTable(measured)}\n\n`)
}
process.stdout.write(`${formatTable(figures)}\n`)
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`)
process.exit(figures.some((figure) => figure.holds === false) ? 1 : 0)

function given(): { readonly values: { readonly json?: string | undefined }; readonly positionals: readonly string[] } {
  try {
    return parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true })
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function refuse(why: string): never {
  const about = benches.map((bench) => `  ${bench.name.padEnd(24)}${bench.about}`).join('\n')
  process.stderr.write(`${why}\nUsage: npm run bench [-- NAME…] [--json FILE]; a name stands for all that begin with it. There are:\n${about}\n`)
  process.exit(2)
}
