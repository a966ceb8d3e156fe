import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { RefusedError, UnavailableError } from '@koco/core'
import { sha256, type BlobStore, type CrashPoint } from '@koco/blobs'
import type { CheckpointRow } from '@koco/storage'
import { parseManifest, type Manifest } from './manifest.ts'

const ENDING = '.json'

/**
 * The files `<dir>/<id>.json`. Each is also a blob, which the index names by its hash: a file that is missing here (another host made the checkpoint) or older than the index is written again from
 * there, one that is damaged is told, and `repair` writes it. So a file's name need not be on disk when its checkpoint is.
 */
export class ManifestFiles {
  readonly #dir: string
  readonly #blobs: BlobStore
  readonly #crash: CrashPoint
  #made: Promise<string> | undefined

  constructor(dir: string, blobs: BlobStore, crash: CrashPoint) {
    this.#dir = dir
    this.#blobs = blobs
    this.#crash = crash
  }

  /** The manifest of a checkpoint. RefusedError `corrupt_manifest`. */
  async read(row: CheckpointRow): Promise<Manifest> {
    const text = await this.#text(row.id)
    if (text !== undefined && sha256(text) === row.manifest) {
      const manifest = parseManifest(text)
      if (manifest) return manifest
    }
    const older = text === undefined ? undefined : parseManifest(text)
    if (text !== undefined && !(older && older.id === row.id && older.revision < row.revision)) throw corruptManifest(row.id)
    return await this.restore(row)
  }

  /** The manifest as the store has it, without a look at the file. RefusedError `unknown_blob`, PoisonError `blob_corrupt`. */
  async stored(row: CheckpointRow): Promise<Manifest> {
    const manifest = parseManifest((await this.#blobs.read(row.manifest)).toString())
    if (!manifest) throw corruptManifest(row.id)
    return manifest
  }

  /** Writes the file again from the store. */
  async restore(row: CheckpointRow): Promise<Manifest> {
    const text = (await this.#blobs.read(row.manifest)).toString()
    const manifest = parseManifest(text)
    if (!manifest) throw corruptManifest(row.id)
    await this.write(row.id, text)
    return manifest
  }

  /** What is wrong with the file; null when nothing is. */
  async fault(row: CheckpointRow): Promise<string | null> {
    return await this.read(row).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
  }

  /** Writes a file whole or not at all: its bytes are on disk first. That its name is gone with the power does no harm, so nobody waits for the folder. */
  async write(id: string, text: string): Promise<void> {
    const dir = await this.#folder()
    const part = join(dir, `.${id}-${randomUUID()}`)
    try {
      const handle = await open(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o640)
      try {
        await handle.writeFile(text)
        await handle.datasync()
      } finally {
        await handle.close()
      }
      this.#crash('manifest:written')
      await rename(part, join(dir, id + ENDING))
      this.#crash('manifest:placed')
    } catch (error) {
      await rm(part, { force: true })
      throw diskError(dir, error)
    }
  }

  async remove(id: string): Promise<void> {
    await rm(join(this.#dir, id + ENDING), { force: true })
  }

  /** Takes files away that no checkpoint has and that are older than `before` (ms since 1970): writers that died left them. */
  async tidy(isKnown: (id: string) => Promise<boolean>, before: number): Promise<number> {
    let removed = 0
    for (const name of await readdir(this.#dir).catch(() => [])) {
      const path = join(this.#dir, name)
      const isPart = name.startsWith('.ck')
      if (!isPart && !/^ck[0-9a-f]+\.json$/.test(name)) continue
      const known = await stat(path).catch(() => undefined)
      if (!known || known.mtimeMs >= before || (!isPart && (await isKnown(name.slice(0, -ENDING.length))))) continue
      await rm(path, { force: true })
      removed++
    }
    return removed
  }

  async #text(id: string): Promise<string | undefined> {
    return await readFile(join(this.#dir, id + ENDING), 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw diskError(this.#dir, error)
    })
  }

  #folder(): Promise<string> {
    this.#made ??= mkdir(this.#dir, { recursive: true }).then(
      () => this.#dir,
      (error: unknown) => {
        this.#made = undefined
        throw diskError(this.#dir, error)
      },
    )
    return this.#made
  }
}

function corruptManifest(id: string): RefusedError {
  return new RefusedError(`The manifest of checkpoint ${id} is damaged. Rebuild it from the store: koco checkpoints repair ${id}`, { code: 'corrupt_manifest' })
}

function diskError(dir: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error
  return new UnavailableError(`The folder of checkpoints ${dir} cannot be used now (${error.message}). Free some space, or check its owner and rights.`, {
    code: 'checkpoints_unavailable',
    cause: error,
  })
}
