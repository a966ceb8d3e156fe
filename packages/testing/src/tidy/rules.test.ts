// Goal: each house rule finds its offender. Method: made-up files that offend in one way.
import { expect, test } from 'vitest'
import { anchorsOf, brokenLinks } from './links.ts'
import * as rules from './rules.ts'

const PATH = 'packages/core/src/position.ts'
const one = (text: string, path = PATH) => [{ path, text }]

test('a long file offends, a test may be longer', () => {
  expect(rules.longFiles(one('\n'.repeat(301)))).toHaveLength(1)
  expect(rules.longFiles(one('\n'.repeat(500), 'packages/core/src/position.test.ts'))).toEqual([])
})

test('a third folder below src offends', () => {
  expect(rules.deepFiles([...one('', 'packages/a/src/b/c/d/e.ts'), ...one('', 'packages/a/src/b/c/d.ts')])).toEqual(['packages/a/src/b/c/d/e.ts'])
})

test('names that say nothing offend', () => {
  expect(rules.namelessFiles([...one('', 'packages/a/src/utils.ts'), ...one('', 'packages/a/src/common/b.ts'), ...one('')])).toHaveLength(2)
})

test('a line that leaves something to do offends', () => {
  expect(rules.unfinishedLines(one('// TODO: later'))).toHaveLength(1)
})

test('a test that is left out offends, its name may say so', () => {
  const path = 'packages/a/src/b.test.ts'
  expect(rules.leftOutTests(one("test.skip('x', () => {})", path))).toHaveLength(1)
  expect(rules.leftOutTests(one("test('test.skip is refused', () => {})", path))).toEqual([])
})

test('an export without its promise offends', () => {
  const text = 'export const a = 1\n/** Says b. */\nexport const b = 1\nexport const b2 = 2\n\nexport async function c() {}\n'
  expect(rules.undocumentedExports(one(text))).toEqual([`${PATH}:1: a`, `${PATH}:6: c`])
})

test('an index with code or with everything offends', () => {
  expect(rules.loudIndexes(one("export * from './a.ts'\nconst b = 1\nexport { c } from './c.ts'\n", 'packages/a/src/index.ts'))).toHaveLength(2)
})

test('a test without an opening comment offends', () => {
  expect(rules.unexplainedTests(one("import { test } from 'vitest'\n", 'packages/a/src/b.test.ts'))).toHaveLength(1)
})

test('links to missing files and headings offend, others do not', () => {
  const text =
    '# A `b`: c\n[1](#a-b-c) [2](#none) [3](package.json) [4](none.md) [5](https://example.com/#x) `[6](none)`\n```\n[7](none)\n```\n[8](../outside.md)'
  expect(brokenLinks(one(text, 'README.md'))).toEqual(['README.md: #none', 'README.md: none.md', 'README.md: ../outside.md'])
})

test('anchors are those of GitHub', () => {
  expect([...anchorsOf('# Hello, World!\n## Hello world\n## Hello World\n### 2. `koco start`\n')]).toEqual([
    'hello-world',
    'hello-world-1',
    'hello-world-2',
    '2-koco-start',
  ])
})
