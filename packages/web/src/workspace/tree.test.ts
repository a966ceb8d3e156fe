// Goal: a workspace is shown as its folders, and what is closed costs no lines. Method: lists of paths as the API gives them.
import { expect, test } from 'vitest'
import { treeLines } from './tree.ts'

const file = (path: string, size = 1) => ({ path, size, type: 'text/plain', modified_at: 1 })
const shown = (paths: readonly string[], open: readonly string[]) =>
  treeLines(
    paths.map((path) => file(path)),
    (folder) => open.includes(folder),
  ).map((line) => `${'  '.repeat(line.depth)}${line.name}${line.kind === 'folder' ? `/ ${line.files}` : ''}`)

test('folders come first, each with what lies in it however deep', () => {
  expect(shown(['a.txt', 'src/deep/x.ts', 'src/main.ts', 'zebra.txt'], ['src', 'src/deep'])).toEqual([
    'src/ 2',
    '  deep/ 1',
    '    x.ts',
    '  main.ts',
    'a.txt',
    'zebra.txt',
  ])
})

test('a closed folder is one line, and says how much it holds', () => {
  expect(shown(['src/deep/x.ts', 'src/main.ts'], ['src/deep'])).toEqual(['src/ 2'])
  expect(treeLines([file('d/a', 3), file('d/e/b', 4)], () => false)).toMatchObject([{ kind: 'folder', path: 'd', size: 7 }])
})

test('a folder is not mixed up with a file that begins like it', () => {
  expect(shown(['src', 'src.d/a', 'sr/b'], ['src', 'src.d', 'sr'])).toEqual(['sr/ 1', '  b', 'src.d/ 1', '  a', 'src'])
})
