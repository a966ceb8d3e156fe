// Goal: what `npm pack` makes works for somebody who has nothing else: a first flow, its run, its test, its types, the page. Method: pack, install into an empty folder, do what the README says.
import { execFile, spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort, newFolder } from '@koco/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

const CLI = fileURLToPath(new URL('../', import.meta.url))
const TSC = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')))
const run = promisify(execFile)

let folder: string
let env: Record<string, string>

beforeAll(async () => {
  folder = newFolder('packed')
  env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', KODO_APP_SERVER: `http://127.0.0.1:${await freePort()}` }
  const { stdout } = await run(process.execPath, [join(CLI, 'src/packing/pack.ts'), folder])
  writeFileSync(join(folder, 'package.json'), '{"name": "author", "private": true}')
  await run('npm', ['install', '--no-audit', '--no-fund', stdout.trim()], { cwd: folder })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const koco = (...argv: string[]) => run(process.execPath, [join(folder, 'node_modules/.bin/koco'), ...argv], { cwd: folder, env })

test('init writes a flow that runs at once, passes its own test and type-checks', async () => {
  await koco('init')
  const { stdout } = await koco('run', 'greeting', '--input', 'name=Ada', '--follow')
  expect(stdout).toMatch(/# \w+, Ada!/)
  const tested = await run(process.execPath, ['--test'], { cwd: folder, env })
  expect(tested.stdout).toMatch(/pass 1/)
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--allowImportingTsExtensions', '--types', '', 'flows.ts']
  await run(process.execPath, [TSC, ...flags], { cwd: folder })
})

test('koco/client loads without anything of Node, and has types', async () => {
  const entry = await readFile(join(folder, 'node_modules/koco/dist/client.js'), 'utf8')
  expect(entry).not.toMatch(/node:|from "(?!\.)/)
  writeFileSync(
    join(folder, 'call.ts'),
    `import { KocoClient } from 'koco/client'\nexport const run = new KocoClient({ address: 'http://x' }).start('a', { b: 1 })\n`,
  )
  await run(process.execPath, [TSC, '--noEmit', '--strict', '--module', 'nodenext', '--lib', 'es2024,dom', '--types', '', 'call.ts'], { cwd: folder })
})

test('start serves the built page and the flow within seconds', async () => {
  const server = spawn(process.execPath, [join(folder, 'node_modules/.bin/koco'), 'start'], { cwd: folder, env, stdio: 'ignore' })
  try {
    const address = env['KODO_APP_SERVER'] ?? ''
    while (
      !(await fetch(`${address}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ))
    )
      await sleep(20)
    expect(await (await fetch(address)).text()).toContain('<script type="module"')
    expect((await koco('run', 'greeting', '-i', 'name=Bo', '--follow')).stdout).toContain('Bo!')
  } finally {
    server.kill('SIGTERM')
  }
  await new Promise((resolve) => server.once('close', resolve))
})
