import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { Command } from 'commander'
import { usageError } from '../output/exit.ts'
import { VERSION } from '../version.ts'
import type { CommandContext } from './context.ts'

const FLOW = `import { defineFlow } from 'koco'
import { z } from 'zod'

/** A first flow: change it while \`npx koco start\` runs, it is read again. */
export const greeting = defineFlow({
  name: 'greeting',
  summary: 'Greets somebody in three steps',
  tags: ['first'],
  inputs: z.object({ name: z.string().min(1).describe('Whom to greet') }),
  async run({ name }, ctx) {
    const words = await ctx.step('find words', () => ['Hello', 'Hallo', 'Bonjour'])
    const word = await ctx.step('choose', () => words[Math.floor(Math.random() * words.length)] ?? 'Hello')
    const line = await ctx.step('greet', () => \`\${word}, \${name}!\`)
    return ctx.markdown(\`# \${line}\`)
  },
})
`

const TEST = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runFlow } from 'koco/testing'
import { greeting } from './flows.ts'

// A flow's unit test needs no server: steps run, sleeps are skipped, locks are answered from a table.
test('the greeting names the person', async () => {
  const { status, final } = await runFlow(greeting, { name: 'Ada' })
  assert.equal(status, 'finished')
  assert.match(String(final?.value), /, Ada!$/)
})
`

const IGNORE = 'node_modules/\ndata/\n.env\n'

/** `koco init`: a first flow, its test, and what package.json needs. */
export function initCommand(context: CommandContext): Command {
  const command = new Command('init').description('Write a first flow and its test').argument('[folder]', 'where to', '.')
  return command.action(async (folder: string) => {
    const { io } = context
    const where = resolve(io.cwd, folder)
    const taken = ['flows.ts', 'flows.test.ts'].filter((name) => existsSync(join(where, name)))
    if (taken.length > 0) throw usageError(`${where} has ${taken.join(' and ')} already: nothing was written.`)
    await mkdir(where, { recursive: true })
    await writeFile(join(where, 'flows.ts'), FLOW)
    await writeFile(join(where, 'flows.test.ts'), TEST)
    await writePackage(where)
    if (!existsSync(join(where, '.gitignore'))) await writeFile(join(where, '.gitignore'), IGNORE)
    io.out(`Wrote flows.ts, flows.test.ts and package.json in ${where}. Next:`)
    if (!existsSync(join(where, 'node_modules'))) io.out('  npm install')
    for (const line of ['npx koco run greeting --input name=Ada --follow', 'npx koco start', 'npm test']) io.out(`  ${line}`)
  })
}

type PackageJson = { name?: string; type?: string; scripts?: Record<string, string>; dependencies?: Record<string, string>; [key: string]: unknown }

/** Adds what is missing and changes nothing that is there. */
async function writePackage(where: string): Promise<void> {
  const file = join(where, 'package.json')
  const found = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as PackageJson) : { name: basename(where).toLowerCase(), private: true }
  const npmPlaceholder = found.scripts?.['test']?.includes('no test specified')
  const { test, ...others } = found.scripts ?? {}
  const made: PackageJson = {
    ...found,
    type: 'module',
    scripts: { start: 'koco start', ...others, test: test === undefined || npmPlaceholder ? 'node --test' : test },
    dependencies: { koco: `^${VERSION}`, zod: '^4.0.0', ...found.dependencies },
  }
  await writeFile(file, `${JSON.stringify(made, null, 2)}\n`)
}
