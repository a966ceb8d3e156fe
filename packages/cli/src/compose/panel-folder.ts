import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { RefusedError } from '@koco/core'
import type { Contents, FileStore } from '@koco/flow'

/** An empty file. A worker finds it where it sees the panel's folder, and not in a folder of its own host at the same path, in which what it writes would be lost to everybody else. */
const MARK = '.panel'

/** Marks a folder as the panel's, for workers; made when it is missing. RefusedError `bad_folder` when it cannot be written. */
export async function markFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, MARK), '')
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new RefusedError(`${dir} cannot be written (${why}): give this user the right to, or name another folder.`, { code: 'bad_folder', cause: error })
  }
}

/** True for a folder that a panel has marked, wherever it runs. */
export function isMarked(dir: string): boolean {
  return existsSync(join(dir, MARK))
}

/** The files of runs in `dir` for a worker: RefusedError `files_elsewhere` for each call unless the folder is the panel's. */
export function filesInPanelFolder(files: FileStore, dir: string): FileStore {
  const check = onceMarked(
    dir,
    'files_elsewhere',
    'Let every host see the folder that KODO_UPLOAD_DIR names, or set KODO_FILES=panel with KODO_APP_SERVER and KODO_API_KEY.',
  )
  return {
    async list(fid, side) {
      check()
      return await files.list(fid, side)
    },
    async open(fid, path) {
      check()
      return await files.open(fid, path)
    },
    async write(fid, path, content, signal) {
      check()
      return await files.write(fid, path, content, signal)
    },
  }
}

/** Large results in `dir` for a worker: RefusedError `contents_elsewhere` for what is to be kept unless the folder is the panel's. */
export function contentsInPanelFolder(contents: Contents, dir: string): Contents {
  const check = onceMarked(dir, 'contents_elsewhere', 'Let every host see the folder that KODO_BLOB_STORE names, or name a bucket: s3://….')
  return {
    async keep(text) {
      check()
      return await contents.keep(text)
    },
    read: (content) => contents.read(content),
    close: () => contents.close(),
  }
}

/** Looks at each call until the folder is marked: a worker may be up before the panel. */
function onceMarked(dir: string, code: string, remedy: string): () => void {
  let marked = false
  return () => {
    marked ||= isMarked(dir)
    if (!marked)
      throw new RefusedError(`No panel keeps anything in ${dir} of host ${hostname()}: what this worker puts there is lost to all others. ${remedy}`, { code })
  }
}
