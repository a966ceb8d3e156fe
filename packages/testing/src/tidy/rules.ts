import { basename } from 'node:path'
import { isTest, type TextFile } from './files.ts'

const LINES_MAX = 300
const TEST_LINES_MAX = 500
const DEPTH_MAX = 2
const BANNED_NAMES = /^(utils?|helpers?|types|misc|common|shared)\.tsx?$/
const BANNED_FOLDERS = /\/(utils?|helpers?|types|misc|common)\//
const UNFINISHED = /\b(TODO|FIXME|XXX|HACK)\b|[Nn]ot (yet )?implemented/
const LEFT_OUT = /\b(?:test|it|describe)\.(?:only|skip|todo|fails)\b|\bx(?:it|describe)\(/
const EXPORT = /^export (?:default |declare )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|type|interface) (\w+)/

/** Files above their budget of lines. */
export function longFiles(files: readonly TextFile[]): string[] {
  return files.flatMap((file) => {
    const lines = file.text.split('\n').length - 1
    const limit = isTest(file) ? TEST_LINES_MAX : LINES_MAX
    return lines > limit ? [`${file.path}: ${lines} lines, at most ${limit}`] : []
  })
}

/** Files more than two folders below `src`. */
export function deepFiles(files: readonly TextFile[]): string[] {
  return files.filter(({ path }) => (path.split('/src/')[1] ?? '').split('/').length - 1 > DEPTH_MAX).map(({ path }) => path)
}

/** Files and folders named after nothing. */
export function namelessFiles(files: readonly TextFile[]): string[] {
  return files.filter(({ path }) => BANNED_NAMES.test(basename(path)) || BANNED_FOLDERS.test(path)).map(({ path }) => path)
}

/** Lines that say that something is not done. */
export function unfinishedLines(files: readonly TextFile[]): string[] {
  return linesThat(files, (line) => UNFINISHED.test(line))
}

/** Tests that are left out or that leave out the others. */
export function leftOutTests(files: readonly TextFile[]): string[] {
  return linesThat(files.filter(isTest), (line) => LEFT_OUT.test(line.replaceAll(/(['"`]).*?\1/g, '')))
}

/** Exported symbols without a doc comment above; one comment serves a group of lines without a gap. Tests and lists of exports need none. */
export function undocumentedExports(files: readonly TextFile[]): string[] {
  return files
    .filter((file) => !isTest(file))
    .flatMap(({ path, text }) => {
      const lines = text.split('\n')
      return lines.flatMap((line, index) => {
        const name = EXPORT.exec(line)?.[1]
        return name === undefined || isDocumented(lines, index) ? [] : [`${path}:${index + 1}: ${name}`]
      })
    })
}

/** Index files that export everything or hold code. */
export function loudIndexes(files: readonly TextFile[]): string[] {
  return linesThat(
    files.filter(({ path }) => /^packages\/[^/]+\/src\/index\.ts$/.test(path)),
    (line) => /^export \*|^(export )?(async )?(function|class|const|let) /.test(line),
  )
}

/** Tests that do not open with a comment saying goal and method. */
export function unexplainedTests(files: readonly TextFile[]): string[] {
  return files.filter(({ path, text }) => /\.test\.tsx?$/.test(path) && !/^(\/\/|\/\*)/.test(text)).map(({ path }) => path)
}

function isDocumented(lines: readonly string[], index: number): boolean {
  const above = lines[index - 1]?.trimEnd() ?? ''
  return above.endsWith('*/') || (EXPORT.test(above) && isDocumented(lines, index - 1))
}

function linesThat(files: readonly TextFile[], offends: (line: string) => boolean): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => (offends(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  )
}
