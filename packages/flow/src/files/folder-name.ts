import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { diskError, isCode } from './safe-folder.ts'

/** The name under which a folder of files is known to the content store that its files name content of: made once, kept in it, and with it wherever it is moved. */
export class FolderName {
  readonly #dir: string
  #announced: Promise<void> | undefined

  constructor(dir: string) {
    this.#dir = dir
  }

  /** Undefined while no file names anything. */
  async read(): Promise<string | undefined> {
    return await readFile(this.#path(), 'utf8').catch((error: unknown) => {
      if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw diskError(error)
    })
  }

  /** Has the name told, once a process; made when there is none. Durable when it resolves. */
  announce(tell: (name: string) => Promise<void>): Promise<void> {
    this.#announced ??= this.#make()
      .then(tell)
      .catch((error: unknown) => {
        this.#announced = undefined
        throw diskError(error)
      })
    return this.#announced
  }

  async #make(): Promise<string> {
    const known = await this.read()
    if (known !== undefined) return known
    await mkdir(this.#dir, { recursive: true })
    const name = randomUUID()
    const part = `${this.#path()}.${name}`
    await writeFile(part, name, { flush: true })
    try {
      await link(part, this.#path())
    } catch (error) {
      // Another process was first.
      if (!isCode(error, 'EEXIST')) throw error
    } finally {
      await rm(part, { force: true })
    }
    const folder = await open(this.#dir)
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
    return (await this.read()) ?? name
  }

  #path(): string {
    return join(this.#dir, '.folder')
  }
}
