import { matchesGlob } from 'node:path'

/** Which files are meant: those that a pattern of `include` matches (all of them without one), without those that one of `exclude` matches. */
export type Selection = { readonly include?: readonly string[] | undefined; readonly exclude?: readonly string[] | undefined }

/** A judge of paths. A pattern is a glob over the whole path; one without `/` is meant for names at any depth; one that matches a folder means all that is in it. */
export function selector({ include = [], exclude = [] }: Selection): (path: string) => boolean {
  if (include.length === 0 && exclude.length === 0) return () => true
  return (path) => {
    const folders = foldersOf(path)
    const included = include.length === 0 || include.some((pattern) => matches(path, folders, pattern))
    return included && !exclude.some((pattern) => matches(path, folders, pattern))
  }
}

function matches(path: string, folders: readonly string[], text: string): boolean {
  const pattern = text.replace(/^\.?\/+/, '').replace(/\/+$/, '')
  if (!text.replace(/\/+$/, '').includes('/')) return path.split('/').some((name) => matchesGlob(name, pattern) || name === pattern)
  return path === pattern || matchesGlob(path, pattern) || folders.some((folder) => folder === pattern || matchesGlob(folder, pattern))
}

function foldersOf(path: string): string[] {
  const names = path.split('/').slice(0, -1)
  return names.map((_name, i) => names.slice(0, i + 1).join('/'))
}
