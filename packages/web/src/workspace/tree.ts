import type { RunFile } from '@koco/core/api'

/** A line of a workspace as it is shown: a folder with all that lies in it, or a file. `depth` is 0 at the top. */
export type TreeLine =
  | { readonly kind: 'folder'; readonly path: string; readonly name: string; readonly depth: number; readonly files: number; readonly size: number }
  | { readonly kind: 'file'; readonly path: string; readonly name: string; readonly depth: number; readonly file: RunFile }

type Folder = { readonly folders: Map<string, Folder>; readonly files: RunFile[]; count: number; size: number }

/** Files as lines, folders first and each by name; what lies in a folder that is not open is left out. */
export function treeLines(files: readonly RunFile[], isOpen: (folder: string) => boolean): TreeLine[] {
  const root = newFolder()
  for (const file of files) {
    let at = root
    for (const name of file.path.split('/').slice(0, -1)) {
      const below = at.folders.get(name) ?? newFolder()
      at.folders.set(name, below)
      below.count += 1
      below.size += file.size
      at = below
    }
    at.files.push(file)
  }
  return linesOf(root, '', 0, isOpen)
}

function linesOf({ folders, files }: Folder, prefix: string, depth: number, isOpen: (folder: string) => boolean): TreeLine[] {
  const inFolders = [...folders]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, folder]): TreeLine[] => {
      const path = prefix + name
      const line = { kind: 'folder', path, name, depth, files: folder.count, size: folder.size } as const
      return [line, ...(isOpen(path) ? linesOf(folder, `${path}/`, depth + 1, isOpen) : [])]
    })
  return [...inFolders, ...files.map((file): TreeLine => ({ kind: 'file', path: file.path, name: file.path.slice(prefix.length), depth, file }))]
}

function newFolder(): Folder {
  return { folders: new Map(), files: [], count: 0, size: 0 }
}
