// Goal: the flow author's guide is true. Method: every TypeScript block of the README becomes a module beside this package, is type-checked, imported, and each flow in it is run with the inputs, answers and
// result that the comment above the block names; and every member of the context is in the guide.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { flowsOf } from './flow.ts'
import { createTestContext, runFlow, type TestRunOptions } from './testing/index.ts'

type Expected = {
  readonly inputs?: unknown
  readonly answers?: NonNullable<TestRunOptions['answers']>
  readonly files?: Record<string, string>
  readonly messages?: NonNullable<TestRunOptions['messages']>
  readonly final?: unknown
}

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const BLOCK = /(?:<!-- run: (?<run>.*) -->\n\n)?```ts\n(?<code>[\s\S]*?)```/g

let guide = ''
let dir = ''
let blocks: { readonly path: string; readonly expected: Expected }[] = []

beforeAll(async () => {
  guide = await readFile(join(PACKAGE, 'README.md'), 'utf8')
  dir = await mkdtemp(join(PACKAGE, '.readme-'))
  blocks = await Promise.all([...guide.matchAll(BLOCK)].map(({ groups }, index) => writeBlock(index, groups?.['run'], groups?.['code'] ?? '')))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

async function writeBlock(index: number, run: string | undefined, code: string) {
  const path = join(dir, `block-${index}.ts`)
  await writeFile(path, code.replaceAll("'koco/testing'", "'@koco/flow/testing'").replaceAll("'koco'", "'@koco/flow'"))
  if (run === undefined) throw new Error(`block ${index} of the guide has no <!-- run: … --> comment above it`)
  return { path, expected: JSON.parse(run) as Expected }
}

test('every block of the guide compiles', { timeout: 60_000 }, async () => {
  expect(blocks.length).toBeGreaterThanOrEqual(4)
  const config = { extends: '../../tsconfig.node.json', compilerOptions: { composite: false, tsBuildInfoFile: null }, include: ['*.ts'], exclude: [] }
  await writeFile(join(dir, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', join(dir, 'tsconfig.json')]).catch((error: { stdout: string }) => error)
  expect(stdout).toBe('')
})

test('every block of the guide runs, and its flows give what it says', async () => {
  for (const { path, expected } of blocks) {
    const flows = flowsOf((await import(pathToFileURL(path).href)) as Record<string, unknown>)
    for (const flow of flows) {
      const run = await runFlow(flow, expected.inputs, {
        workspaceDir: join(dir, 'workspaces'),
        ...(expected.answers && { answers: expected.answers }),
        ...(expected.files && { files: expected.files }),
        ...(expected.messages && { messages: expected.messages }),
      })
      expect(run.error).toBeNull()
      expect(run.final?.value).toEqual(expected.final)
    }
  }
})

test('every member of the context is in the guide', () => {
  const missing = Object.keys(createTestContext().ctx).filter((name) => !guide.includes(`ctx.${name}`))
  expect(missing).toEqual([])
})
