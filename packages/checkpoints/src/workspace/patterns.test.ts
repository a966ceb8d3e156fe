// Goal: patterns mean what people write them for. Method: a table.
import { expect, test } from 'vitest'
import { selector } from './patterns.ts'

const PATHS = ['a.py', 'src/b.py', 'src/deep/c.py', 'src/d.txt', 'node_modules/x/index.js', '.env', 'docs/e f.md', 'exact[1].txt']

test.each<[include: string[], exclude: string[], expected: string[]]>([
  [[], [], PATHS],
  [['*.py'], [], ['a.py', 'src/b.py', 'src/deep/c.py']],
  [['src/*.py'], [], ['src/b.py']],
  [['src/**/*.py'], [], ['src/b.py', 'src/deep/c.py']],
  [['src'], [], ['src/b.py', 'src/deep/c.py', 'src/d.txt']],
  [['src/'], ['deep'], ['src/b.py', 'src/d.txt']],
  [['./src/deep'], [], ['src/deep/c.py']],
  [['/a.py'], [], ['a.py']],
  [['.env', '*.md'], [], ['.env', 'docs/e f.md']],
  [[], ['node_modules', '.env', '*.txt'], ['a.py', 'src/b.py', 'src/deep/c.py', 'docs/e f.md']],
  [['*.py'], ['*.py'], []],
  [['exact[1].txt'], [], ['exact[1].txt']],
])('include %j, exclude %j', (include, exclude, expected) => {
  expect(PATHS.filter(selector({ include, exclude }))).toEqual(expected)
})
