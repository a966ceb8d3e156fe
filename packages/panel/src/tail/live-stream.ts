import type { ServerResponse } from 'node:http'

const UNSENT_BYTES_MAX = 256 * 1024
const SLICE_BYTES = 64 * 1024

/**
 * One open connection that frames go out on. `write` waits for a slow reader, for a bounded time; `push` never waits. A reader that leaves 256 KiB unsent or takes nothing for
 * too long is dropped: it comes again by its cursor, so it loses nothing.
 */
export class LiveStream {
  /** What the keep-alive comment says: the tail position. */
  readonly position: () => string
  /** Why it ended: `client`, `slow`, `ended`, or what `end` was told. */
  closedBy = 'client'

  readonly #response: ServerResponse
  readonly #blockedMsMax: number
  readonly #abort = new AbortController()
  #writing = false

  constructor(response: ServerResponse, position: () => string, blockedMsMax: number) {
    this.#response = response
    this.position = position
    this.#blockedMsMax = blockedMsMax
    const gone = (): void => this.#abort.abort()
    response.once('close', gone).once('error', gone)
  }

  /** Aborted when the connection is over, whoever ended it. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Bytes that the reader has not taken yet. */
  get unsentBytes(): number {
    return this.#response.writableLength
  }

  /** Sends all of it, slice by slice, waiting for the reader; returns early when the connection is over. */
  async write(frames: Buffer): Promise<void> {
    this.#writing = true
    for (let from = 0; from < frames.length && !this.signal.aborted; from += SLICE_BYTES) {
      if (!this.#response.write(frames.subarray(from, from + SLICE_BYTES))) await this.#drained()
    }
    this.#writing = false
  }

  /** Sends a small frame at once, or drops the reader when it is too far behind. Left out while a `write` is under way, whose slices must stay together. */
  push(frame: Buffer): void {
    if (this.signal.aborted || this.#writing) return
    this.#response.write(frame)
    if (this.unsentBytes > UNSENT_BYTES_MAX) this.#drop('slow')
  }

  /** Says the last word and ends the connection. */
  end(frame: Buffer | undefined, why: string): void {
    if (this.signal.aborted) return
    this.closedBy = why
    this.#response.end(this.#writing ? undefined : frame)
    this.#abort.abort()
    // Whoever does not even take the end is cut off.
    setTimeout(() => this.#response.destroy(), this.#blockedMsMax).unref()
  }

  #drop(why: string): void {
    this.closedBy = why
    this.#response.destroy()
    this.#abort.abort()
  }

  /** Resolves when the reader took what was sent or the connection is over; drops a reader that is blocked for too long. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#response.removeListener('drain', done)
        this.signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(() => this.#drop('slow'), this.#blockedMsMax)
      this.#response.once('drain', done)
      this.signal.addEventListener('abort', done, { once: true })
      if (this.signal.aborted) done()
    })
  }
}
