// Goal: the shell completes commands, their parts and options. Method: the script in the real shell, asked as the shell asks; zsh, which completes for a terminal only, gets one of its own. Shells that are not there are left out.
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newFolder } from '@koco/testing'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../main.ts'
import { fakeIo } from '../output/fake-io.ts'

async function scriptFor(shell: string): Promise<string> {
  const io = fakeIo('/')
  expect(await runCommand(['completion', shell], io)).toBe(0)
  return io.printed.join('\n')
}

const shells = ['fish', 'zsh'].filter((shell) => spawnSync(shell, ['-c', 'exit']).status === 0)

async function complete(...words: string[]): Promise<string[]> {
  const asked = `COMP_WORDS=(koco ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _koco; printf '%s\\n' "\${COMPREPLY[@]}"`
  const said = execFileSync('bash', ['--norc', '-c', `${await scriptFor('bash')}\n${asked}`], { encoding: 'utf8' })
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

test.for(shells.filter((shell) => shell === 'fish'))('in %s too', async () => {
  const script = await scriptFor('fish')
  const inFish = (line: string): string[] =>
    execFileSync('fish', ['--no-config', '-c', `${script}\ncomplete -C '${line}'`], { encoding: 'utf8' })
      .split('\n')
      .filter((word) => word !== '')
  expect(inFish('koco ru')).toEqual(['run', 'runs'])
  expect(inFish('koco runs p')).toEqual(['pause'])
  expect(inFish('koco runs list --flow x --pro')).toEqual(['--profile'])
  expect(inFish('koco runs list -o ')).toEqual(['ids', 'json', 'table'])
  expect(inFish('koco run my-flow package.js')).toContain('package.json')
})

test.for(shells.filter((shell) => shell === 'zsh'))('in %s too', async () => {
  const dir = newFolder('zsh')
  onTestFinished(() => rmSync(dir, { recursive: true }))
  writeFileSync(join(dir, 'koco.zsh'), await scriptFor('zsh'))
  const terminal = `zmodload zsh/zpty
zpty z zsh -f -i
until_said() { local said line; while [[ $said != *"$1"* ]]; do zpty -r z line; said+=$line; done }
zpty -w z 'autoload -U compinit; compinit -u -d ${dir}/dump; source ${dir}/koco.zsh; koco() { print -r -- RAN "$@" >> ${dir}/ran }; print rea""dy'
until_said ready
zpty -n -w z $'koco runs pau\\t\n'
zpty -n -w z $'koco runs list --flow x --pro\\t\n'
zpty -n -w z $'koco runs list -o js\\t\n'
zpty -w z 'print do""ne'
until_said done`
  execFileSync('zsh', ['-f', '-c', terminal], { timeout: 30_000 })
  expect(readFileSync(join(dir, 'ran'), 'utf8')).toBe('RAN runs pause\nRAN runs list --flow x --profile\nRAN runs list -o json\n')
})
