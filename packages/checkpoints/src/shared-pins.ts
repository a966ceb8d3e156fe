import type { BlobStore, Pin } from '@koco/blobs'

/** How long a pin takes on more: one that never ended would hold back collections for the life of a process. */
const JOINED_MS = 60_000

type Shared = { readonly pin: Promise<Pin>; readonly untilMs: number; holders: number }

/** One pin for all that goes on at the same time: an older pin protects whatever a newer one would. */
export class SharedPins {
  readonly #blobs: Pick<BlobStore, 'pin'>
  #current: Shared | undefined

  constructor(blobs: Pick<BlobStore, 'pin'>) {
    this.#blobs = blobs
  }

  /** Does something under a pin: what is put meanwhile stays. */
  async during<T>(act: () => Promise<T>): Promise<T> {
    const joined = this.#current
    const shared = joined && performance.now() < joined.untilMs ? joined : { pin: this.#blobs.pin(), untilMs: performance.now() + JOINED_MS, holders: 0 }
    this.#current = shared
    shared.holders++
    try {
      await shared.pin
      return await act()
    } finally {
      shared.holders--
      if (shared.holders === 0) {
        if (this.#current === shared) this.#current = undefined
        await (await shared.pin.catch(() => undefined))?.release()
      }
    }
  }
}
