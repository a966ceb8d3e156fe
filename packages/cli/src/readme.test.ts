// Goal: the table of commands leaves none out. Method: the README's table against the commands of the program, those below them too.
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { fakeIo } from './output/fake-io.ts'
import { createProgram } from './program.ts'

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const ROWS = (README.split('\n## Commands\n')[1]?.split('\n\n')[0] ?? '').split('\n')
/** Commands whose parts the table leaves to their help, by an ellipsis. */
const IN_SHORT = new Set(['users', 'keys'])

function namesOf(command: Command): string[] {
  const parts = IN_SHORT.has(command.name()) ? [] : command.commands
  return [command.name(), ...parts.flatMap((part) => namesOf(part).map((name) => `${command.name()} ${name}`))]
}

/** A row that begins with the command and has the words of its part. */
function isTold(name: string): boolean {
  const [command = '', ...parts] = name.split(' ')
  return ROWS.some((row) => row.includes(`\`koco ${command}`) && parts.every((part) => row.split(/[^a-z-]+/).includes(part)))
}

test('the table names every command', async () => {
  const program = await createProgram([], fakeIo('/'), () => undefined)
  const names = program.commands.flatMap(namesOf)
  expect(names.length).toBeGreaterThan(30)
  expect(names.filter((name) => !isTold(name))).toEqual([])
})
