// Goal: the report counts what is there and survives odd folders. Method: throw-away folders with nested, binary, huge, linked and skipped files are reported, and compared with what was put there.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runFlow } from 'koco/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { folderReport } from './flow.ts'
import { HUGE_BYTES } from './read-files.ts'
import { listFiles } from './walk.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'koco-report-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function put(path: string, text: string | Uint8Array): Promise<void> {
  await mkdir(join(dir, path, '..'), { recursive: true })
  await writeFile(join(dir, path), text)
}

test('a folder is reported with its languages, longest files and what was left out', async () => {
  await put('src/a.ts', 'one\ntwo\nthree')
  await put('src/deep/b.ts', 'x\n'.repeat(40))
  await put('readme.md', '# hi\n')
  await put('pipe|name.txt', 'a\n')
  await put('image.png', new Uint8Array([1, 0, 2]))
  await put('huge.log', 'x'.repeat(HUGE_BYTES + 1))
  await put('node_modules/x/index.js', 'no')
  await put('.git/config', 'no')
  await symlink(join(dir, 'src'), join(dir, 'link'))
  const run = await runFlow(folderReport, { folder: dir })
  const report = run.final?.value
  expect(run.final?.type).toBe('markdown')
  expect(report).toContain('6 files, ')
  expect(report).toContain('45 lines of text. Not read: 1 binary, 1 huge, 0 vanished')
  expect(report).toContain('| TypeScript | 2 | 43 | 93 B | 95.6 % |')
  expect(report).toContain('| `src/deep/b.ts` | 40 |')
  expect(report).toContain('`pipe\\|name.txt`')
  expect(report).not.toMatch(/node_modules|\.git|link/)
})

test('many files are read in keyed batches with progress, and a limit is said', async () => {
  await Promise.all(Array.from({ length: 130 }, (_, n) => put(`f/${String(n % 7)}/${n}.txt`, 'line\n')))
  const run = await runFlow(folderReport, { folder: dir, files_max: 120 })
  expect(run.events.filter(({ kind }) => kind === 'progress').map(({ data }) => 'done' in data && data.done)).toEqual([1, 2, 3])
  const ids = run.events.flatMap((event) =>
    event.kind === 'step' && event.data.phase === 'finished' && event.data.name === 'read files' ? [event.data.id] : [],
  )
  expect(ids.toSorted()).toEqual(['read files[0]', 'read files[1]', 'read files[2]'])
  expect(run.final?.value).toContain('Only the first 120 files')
})

test('a missing folder and a file are refused with a sentence', async () => {
  const missing = await runFlow(folderReport, { folder: join(dir, 'nowhere') })
  expect(missing.error?.message).toBe(`There is no folder ${join(dir, 'nowhere')} on this machine. Give the path of one that exists.`)
  await put('file.txt', '')
  expect((await runFlow(folderReport, { folder: join(dir, 'file.txt') })).error?.message).toContain('is a file, not a folder')
})

test('an empty folder has an empty report', async () => {
  expect((await runFlow(folderReport, { folder: dir })).final?.value).toContain('0 files, 0 B; 0 lines')
})

test('pages of a walk join without a gap or a repetition, wherever they are cut', async () => {
  const paths = ['a', 'a.b/c', 'a/b', 'b/a/a', 'b/a/b', 'b/b', 'c'].filter((path) => path !== 'a')
  await Promise.all(paths.map((path) => put(path, path)))
  const whole = (await listFiles(dir, null, 100)).files.map(({ path }) => path)
  expect(whole.toSorted()).toEqual(paths.toSorted())
  for (let size = 1; size <= paths.length; size += 1) {
    const walked: string[] = []
    let after: string | null = null
    do {
      const page: Awaited<ReturnType<typeof listFiles>> = await listFiles(dir, after, size)
      walked.push(...page.files.map(({ path }) => path))
      after = page.next
    } while (after !== null)
    expect(walked).toEqual(whole)
  }
})
