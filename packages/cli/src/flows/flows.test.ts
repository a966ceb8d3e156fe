// Goal: an author's module is found, loaded, and read again after each edit; a broken one is one clear sentence and changes nothing. Method: real modules in a throw-away folder.
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { newFolder } from '@koco/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findFlows } from './find.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = newFolder('flows')
  file = join(folder, 'flows.ts')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const KOCO = new URL('../index.ts', import.meta.url).href
const ZOD = import.meta.resolve('zod')
const flowModule = (name: string, before = '') => `
import { defineFlow } from ${JSON.stringify(KOCO)}
import { z } from ${JSON.stringify(ZOD)}
${before}
export const flow = defineFlow({ name: ${name}, summary: 'A flow', inputs: z.object({}), run: () => null })
`

// vitest runs modules through a loader of its own; authors' modules are loaded by Node, so a Node process does it here.
function startNode(script: string): { lines: AsyncIterator<string>; end(): void } {
  const imports = ['load', 'watch'].map((name) => `import * as ${name} from ${JSON.stringify(new URL(`./${name}.ts`, import.meta.url).href)}`)
  const catalog = `import { createCatalog } from ${JSON.stringify(import.meta.resolve('@koco/flow'))}`
  const say = 'const say = (value) => console.log(JSON.stringify(value))'
  const source = [...imports, catalog, say, `const file = ${JSON.stringify(file)}`, script].join('\n')
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
  return { lines: createInterface(child.stdout)[Symbol.asyncIterator](), end: () => void child.kill() }
}

async function load(patienceMs = 'undefined'): Promise<{ flows?: string[]; files?: string[]; code?: string; message?: string }> {
  const script = `
    const named = (loaded) => ({ flows: loaded.flows.map((flow) => flow.name), files: loaded.files })
    say(await load.loadFlows(file, ${patienceMs}).then(named, ({ code, message }) => ({ code, message })))`
  return JSON.parse((await startNode(script).lines.next()).value as string) as object
}

test('a module is made of its own files and what they import by relative paths', async () => {
  writeFileSync(join(folder, 'name.ts'), "export const name: string = 'first'")
  writeFileSync(file, flowModule('name', "import { name } from './name.ts'"))
  const { flows, files } = await load()
  expect(flows).toEqual(['first'])
  expect(files?.toSorted()).toEqual([file, join(folder, 'name.ts')].toSorted())
})

test.each([
  ['export const x = 1', 'exports no flow'],
  ["import 'nothing-of-this-name'", "Cannot find package 'nothing-of-this-name'"],
  ['throw new Error("no key is set")', 'no key is set'],
  ['const = 3', 'Syntax'],
])('a module of %j is refused with its file and the reason', async (text, reason) => {
  writeFileSync(file, text)
  const { code, message } = await load()
  expect(code).toBe('bad_flows')
  expect(message).toContain(file)
  expect(message).toContain(reason)
})

const BARE = `name: 'x', summary: 's', inputs: z.object({}), run: () => null`
// What people and generators export by mistake, besides a good flow.
const ODD_MODULES = [
  'export const x = new Proxy({}, { get() { throw new Error("do not look") }, has() { throw new Error("do not look") }, getPrototypeOf() { throw new Error("never") } })',
  'export const x = { get name() { throw new Error("a getter") }, get run() { throw new Error("a getter") } }',
  'throw null',
  'throw undefined',
  'throw { message: Symbol("no text") }',
  'await Promise.reject("only a text")',
  'export function then() {}',
  'export const then = (done) => done(1)',
  'export const x = null, y = undefined, z1 = Symbol("s"), f = () => 1, big = 10n, n = NaN',
  'export { x as "a name with spaces" }; const x = {}',
  'export const x = Object.freeze(Object.create(null))',
  'export const list = [null, [], [[]], {}]',
  'const loop = {}; loop.self = loop; export default loop',
  'export const x = { name: "fake", summary: "", inputs: null, run() {} }',
  `export const x = defineFlow({ ${BARE}, name: '' })`,
  `export const x = defineFlow({ ${BARE}, name: '../up' })`,
  `export const x = defineFlow({ ${BARE}, name: 7 })`,
  `export const x = defineFlow({ ${BARE}, inputs: z.string() })`,
  `export const x = defineFlow({ ${BARE}, inputs: null })`,
  `export const x = defineFlow({ ${BARE}, inputs: z.object({ a: z.custom(() => true), b: z.lazy(() => z.never()) }) })`,
  `export const x = defineFlow({ ${BARE}, run: 5 })`,
  `export const x = defineFlow({ ${BARE} }), y = defineFlow({ ${BARE} })`,
  'export const x = defineFlow(null)',
  'export const x = defineFlow()',
]

test('odd modules load or are refused in words: none breaks the process, and a good one loads after them', async () => {
  const head = `import { defineFlow } from ${JSON.stringify(KOCO)}\nimport { z } from ${JSON.stringify(ZOD)}\n`
  const files = ODD_MODULES.map((_text, index) => join(folder, `odd-${index}.ts`))
  for (const [index, text] of ODD_MODULES.entries()) writeFileSync(join(folder, `odd-${index}.ts`), head + text)
  writeFileSync(file, flowModule("'good'"))
  const { lines, end } = startNode(`
    for (const one of ${JSON.stringify([...files, file])}) {
      const outcome = await load.loadFlows(one).then(({ flows }) => ({ flows: flows.map((flow) => flow.name) }), (error) => ({ code: error?.code ?? null, message: String(error?.message) }))
      say(outcome)
    }`)
  for (const text of ODD_MODULES) {
    const outcome = JSON.parse((await lines.next()).value as string) as { flows?: string[]; code?: string; message?: string }
    if (outcome.flows)
      expect(
        outcome.flows.every((name) => /^[\w-]+$/.test(name)),
        text,
      ).toBe(true)
    else expect([outcome.code, outcome.message], text).toEqual(['bad_flows', expect.stringContaining(folder)])
  }
  expect(JSON.parse((await lines.next()).value as string)).toEqual({ flows: ['good'] })
  end()
})

test('a module that exports a function `then` beside its flow is loaded like any other', async () => {
  writeFileSync(file, `${flowModule("'good'")}\nexport function then() {}`)
  expect(await load()).toEqual({ flows: ['good'], files: [file] })
})

test('a module that awaits at its top level what never comes is refused in words, though nothing else is left to do', async () => {
  writeFileSync(file, `${flowModule("'good'")}\nawait new Promise(() => undefined)`)
  const { code, message } = await load('300')
  expect(code).toBe('bad_flows')
  expect(message).toContain(file)
  expect(message).toContain('after 0.3 s it is still waiting for something at its top level')
})

test('the named module is taken, else flows.ts of the folder, else src/flows.ts', () => {
  mkdirSync(join(folder, 'src'))
  writeFileSync(join(folder, 'src/flows.ts'), '')
  expect(findFlows(undefined, folder)).toBe(join(folder, 'src/flows.ts'))
  writeFileSync(file, '')
  expect(findFlows(undefined, folder)).toBe(file)
  expect(findFlows('src/flows.ts', folder)).toBe(join(folder, 'src/flows.ts'))
  expect(() => findFlows('nothing.ts', folder)).toThrow('check --flows')
})

test('while it is watched, good edits replace the flows, a broken one keeps them, and edits of imported files count', async () => {
  writeFileSync(join(folder, 'name.ts'), "export const name: string = 'one'")
  writeFileSync(file, flowModule('name', "import { name } from './name.ts'"))
  const { lines, end } = startNode(`
    const { flows, files } = await load.loadFlows(file)
    const catalog = createCatalog(flows)
    const names = () => catalog.list().map((flow) => flow.name)
    watch.watchFlows(file, files, catalog, (outcome) => say({ ...outcome, names: names() }))
    say({ names: names() })`)
  const next = async () => JSON.parse((await lines.next()).value as string) as { names: string[]; error?: string }
  expect(await next()).toEqual({ names: ['one'] })
  writeFileSync(join(folder, 'name.ts'), "export const name: string = 'two'")
  expect(await next()).toMatchObject({ names: ['two'] })
  writeFileSync(file, 'const = 3')
  const broken = await next()
  expect(broken.error).toContain(file)
  expect(broken.names).toEqual(['two'])
  writeFileSync(file, flowModule("'three'"))
  expect(await next()).toMatchObject({ names: ['three'] })
  end()
})
