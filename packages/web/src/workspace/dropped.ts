/** A file that a person gives, with the path that it shall have. */
export type GivenFile = { readonly path: string; readonly file: File }

/** Files beyond are not read from dropped folders. */
const FILES_MAX = 1_000

/** The files of a drop, those in dropped folders with their folders' names. */
export async function droppedFiles(data: DataTransfer): Promise<GivenFile[]> {
  // The list is empty after the first wait: everything is taken from it before.
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  if (entries.length === 0) return [...data.files].map((file) => ({ path: file.name, file }))
  const found: GivenFile[] = []
  for (const entry of entries) await collect(entry, '', found)
  return found
}

async function collect(entry: FileSystemEntry, prefix: string, found: GivenFile[]): Promise<void> {
  if (found.length >= FILES_MAX) return
  const path = prefix + entry.name
  if (isFile(entry)) {
    found.push({ path, file: await new Promise<File>((resolve, reject) => entry.file(resolve, reject)) })
  } else if (isFolder(entry)) {
    const reader = entry.createReader()
    // A reader gives some at a time, and none when there are no more.
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
      if (some.length === 0) return
      for (const one of some) await collect(one, `${path}/`, found)
    }
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory
}
