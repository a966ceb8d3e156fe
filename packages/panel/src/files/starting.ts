import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isFid } from '@koco/core'
import type { FileFolder, GivenFrom } from '@koco/flow'
import type { RunStore } from '@koco/storage'

/** A file that a run is given: where it comes from, and its path in the run. */
export type Given = { readonly from: GivenFrom; readonly path: string }

/**
 * Puts files into the folder of a run that does not exist yet. A note per run tells what is under way, so that the folders of runs that never came to be are found after a crash: first the
 * note, then the files, then the run, then the note goes.
 */
export class Starting {
  readonly #notes: string
  readonly #folder: FileFolder

  constructor(uploadDir: string, folder: FileFolder) {
    this.#notes = join(uploadDir, 'starting')
    this.#folder = folder
  }

  /** Files the bytes under both names, so that nothing is lost whatever comes next. */
  async give(fid: string, files: readonly Given[]): Promise<void> {
    await this.note(fid)
    for (const { from, path } of files) await this.#folder.give(fid, path, from)
  }

  /** Whatever comes next: when there is no such run after a while, its files are taken away. */
  async note(fid: string): Promise<void> {
    await mkdir(this.#notes, { recursive: true })
    await writeFile(join(this.#notes, fid), '')
  }

  /** The run exists: its files stay. */
  async done(fid: string): Promise<void> {
    await rm(join(this.#notes, fid), { force: true })
  }

  /** The run will never be. */
  async undo(fid: string): Promise<void> {
    await this.#folder.removeAll(fid)
    await this.done(fid)
  }

  /** Ends what was under way longer than `ageS` ago and was left so. */
  async sweep(runs: Pick<RunStore, 'get'>, nowMs: number, ageS: number): Promise<void> {
    for (const fid of (await readdir(this.#notes).catch(() => [])).filter(isFid)) {
      const note = await stat(join(this.#notes, fid)).catch(() => undefined)
      if (!note || nowMs < note.mtimeMs + ageS * 1000) continue
      if (await runs.get(fid)) await this.done(fid)
      else await this.undo(fid)
    }
  }
}
