import type { Readable } from 'node:stream'
import type { FileSide } from './path.ts'

/** A file of a run. `path` begins with `in/` (given to it) or `out/` (made by it); `type` is the media type that its name stands for; `modifiedAt` unix seconds. */
export type RunFile = { readonly path: string; readonly size: number; readonly type: string; readonly modifiedAt: number }

/** What is written: text, bytes, or a stream of either. */
export type FileContent = string | Uint8Array | AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>

/**
 * The files of runs, wherever they lie: a folder (`FileFolder`), or a panel over HTTP (`createPanelFiles`). Every path is checked by `sidedPath`: RefusedError `bad_path`. UnavailableError when
 * the disk or the panel is away.
 */
export interface FileStore {
  /** All files of a run, or of one side, by path. */
  list(fid: string, side?: FileSide): Promise<readonly RunFile[]>
  /** A file and its content from its beginning. RefusedError `unknown_file`. */
  open(fid: string, path: string): Promise<{ readonly file: RunFile; readonly content: Readable }>
  /**
   * Writes a file under `out/`, whole or not at all: readers see the old content until the new one is complete and on disk. Gives up without a trace when `signal` aborts. RefusedError
   * `file_too_large`, `run_files_too_large`, `too_many_files`, `read_only` for a path under `in/`.
   */
  write(fid: string, path: string, content: FileContent, signal?: AbortSignal): Promise<RunFile>
}

/** What a run may hold. Sizes in bytes. */
export type FileLimits = {
  readonly fileBytesMax: number
  /** All files of one side of a run together. */
  readonly runBytesMax: number
  /** Files of one side of a run. */
  readonly filesMax: number
}

/** The usual limits: 1 GiB a file, 4 GiB and 10,000 files a run. */
export const defaultFileLimits: FileLimits = { fileBytesMax: 2 ** 30, runBytesMax: 4 * 2 ** 30, filesMax: 10_000 }
