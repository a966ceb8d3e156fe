// Goal: the shell completes commands, their parts and options. Method: the script in a real bash, asked as the shell asks.
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { runCommand } from '../main.ts'
import { fakeIo } from '../output/fake-io.ts'

async function complete(...words: string[]): Promise<string[]> {
  const io = fakeIo('/')
  expect(await runCommand(['completion', 'bash'], io)).toBe(0)
  const asked = `COMP_WORDS=(koco ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _koco; printf '%s\\n' "\${COMPREPLY[@]}"`
  const said = execFileSync('bash', ['--norc', '-c', `${io.printed.join('\n')}\n${asked}`], { encoding: 'utf8' })
  return said.split('\n').filter((word) => word !== '')
}

test('commands, their parts, options and forms are completed', async () => {
  expect(await complete('ru')).toEqual(['run', 'runs'])
  expect(await complete('runs', 'p')).toEqual(['pause'])
  expect(await complete('runs', 'list', '--st')).toEqual(['--status'])
  expect(await complete('runs', 'list', '--flow', 'x', '--pro')).toEqual(['--profile'])
  expect(await complete('runs', 'list', '-o', '')).toEqual(['table', 'json', 'ids'])
  expect(await complete('run', 'my-flow', '--fol')).toEqual(['--follow'])
})
