import { globSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { ROOT } from '../run/command.ts'

/** A text file of the checkout; `path` is relative to its root, with slashes. */
export type TextFile = { readonly path: string; readonly text: string }

const IGNORED = ['node_modules', 'dist', 'data', 'fixtures', 'coverage']

/** The files under a folder of the checkout whose names end so; what tools make is left out. */
export function readFiles(folder: string, endings: readonly string[]): TextFile[] {
  const found = globSync(join(ROOT, folder, '**/*'), { withFileTypes: true, exclude: (entry) => IGNORED.includes(entry.name) })
  const paths = found
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => join(entry.parentPath, entry.name))
  return paths.sort().map((path) => ({ path: relative(ROOT, path).replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }))
}

/** The names at the top of the checkout that a visitor sees. */
export function topLevelNames(): string[] {
  return readdirSync(ROOT).filter((name) => !name.startsWith('.') && name !== 'node_modules')
}

/** True for tests, benches and the suites that adapters share. */
export function isTest({ path }: TextFile): boolean {
  return /\.(test|bench)\.tsx?$|\/contract\//.test(path)
}
