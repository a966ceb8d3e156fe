import type { BlobStore, Pin } from '@koco/blobs'

/** How long one pin serves what is put. */
const WINDOW_MS = 5 * 60_000
/** How long a pin stays when all that was put under it is named: an event that was acknowledged by a stream may not be in the store yet. A collection waits for such events from half of this age on. */
const LINGER_MS = 10 * 60_000

type Window = { readonly pin: Promise<Pin>; holders: number; retired: boolean; timer: NodeJS.Timeout | undefined }

/** Pins for many small puts: one for all of some minutes, so that a put costs no pin of its own, and no pin holds back collections for the life of a process. */
export class PinWindows {
  readonly #blobs: Pick<BlobStore, 'pin'>
  readonly #open = new Set<Window>()
  #current: Window | undefined

  constructor(blobs: Pick<BlobStore, 'pin'>) {
    this.#blobs = blobs
  }

  /** Protects what is put from now on; the result says that it is named. */
  async hold(): Promise<() => void> {
    const window = (this.#current ??= this.#begin())
    window.holders++
    const letGo = (): void => {
      window.holders--
      if (window.retired) this.#linger(window)
    }
    try {
      await window.pin
    } catch (error) {
      this.#retire(window)
      letGo()
      throw error
    }
    return letGo
  }

  async close(): Promise<void> {
    this.#current = undefined
    await Promise.all([...this.#open].map((window) => this.#end(window)))
  }

  #begin(): Window {
    const window: Window = { pin: this.#blobs.pin(), holders: 0, retired: false, timer: undefined }
    this.#open.add(window)
    window.timer = setTimeout(() => this.#retire(window), WINDOW_MS)
    window.timer.unref()
    return window
  }

  #retire(window: Window): void {
    window.retired = true
    if (this.#current === window) this.#current = undefined
    this.#linger(window)
  }

  #linger(window: Window): void {
    clearTimeout(window.timer)
    if (window.holders > 0) return
    window.timer = setTimeout(() => void this.#end(window), LINGER_MS)
    window.timer.unref()
  }

  /** A pin that cannot be taken back ends by itself. */
  async #end(window: Window): Promise<void> {
    clearTimeout(window.timer)
    this.#open.delete(window)
    await window.pin.then((pin) => pin.release()).catch(() => undefined)
  }
}
