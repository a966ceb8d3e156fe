import type { Blob, BlobContent, BlobStore, CompressionLevel } from '@koco/blobs'

/** What keeping content asks of a store. */
export type BlobKeeper = Pick<BlobStore, 'touch'> & { put(content: BlobContent, options: { readonly level: CompressionLevel }): Promise<Blob> }

/** How many are in memory at a time, on their way to disk. */
const AT_ONCE = 16

/** Puts blobs without waiting for each: all of them go to disk together, and so does what names them. The name counts only when `durable` has resolved. */
export class BlobsUnderWay implements BlobKeeper {
  readonly #blobs: BlobStore
  readonly #waiting = new Set<Promise<void>>()
  #failed: { readonly error: unknown } | undefined

  constructor(blobs: BlobStore) {
    this.#blobs = blobs
  }

  async put(content: BlobContent, options: { readonly level: CompressionLevel }): Promise<Blob> {
    while (this.#waiting.size >= AT_ONCE) await Promise.race(this.#waiting)
    if (this.#failed) throw this.#failed.error
    const place = this.#takePlace()
    try {
      const { durable, created: _created, ...blob } = await this.#blobs.begin(content, options)
      durable.then(place.leave, (error: unknown) => {
        this.#failed ??= { error }
        place.leave()
      })
      return blob
    } catch (error) {
      place.leave()
      throw error
    }
  }

  #takePlace(): { leave(): void } {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(promise)
    return {
      leave: () => {
        this.#waiting.delete(promise)
        resolve()
      },
    }
  }

  touch(hashes: readonly string[]): Promise<string[]> {
    return this.#blobs.touch(hashes)
  }

  /** Resolves when all that was put is on disk; throws what kept one from it. */
  async durable(): Promise<void> {
    await this.settled()
    if (this.#failed) throw this.#failed.error
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#waiting)
  }
}
