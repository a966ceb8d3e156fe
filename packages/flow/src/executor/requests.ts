import { UnavailableError, type Json } from '@koco/core'
import type { ControlRequest } from '@koco/storage'
import type { RunRequests } from './try.ts'

/** An answer that was accepted for a lock. `at` is unix seconds. */
export type Lease = { readonly answer: Json; readonly by: string; readonly at: number; readonly reason?: string }

const AGAIN_MS = 500

/** Looks after what people ask of the run while a try is alive: reads it when told that something changed, hands answers to the locks that expect them. */
export class Requests {
  readonly #source: RunRequests
  readonly #apply: (control: ControlRequest | undefined) => void
  readonly #fail: (error: unknown) => void
  readonly #expected = new Map<string, (lease: Lease) => void>()
  #unsubscribe: (() => void) | undefined
  #reading = false
  #begun = false
  #again = false
  #retry: NodeJS.Timeout | undefined
  #closed = false

  /** `apply` is called with what is wanted after each change, `fail` with an error that no waiting heals. */
  constructor(source: RunRequests, apply: (control: ControlRequest | undefined) => void, fail: (error: unknown) => void) {
    this.#source = source
    this.#apply = apply
    this.#fail = fail
  }

  /** Begins to listen; what changes before `begin` is looked at then. */
  listen(): void {
    this.#unsubscribe = this.#source.onChange(() => this.look())
  }

  /** True while something may be there that was not read yet: an answer given before this try began is told to nobody again. */
  get behind(): boolean {
    return this.#begun && (this.#again || this.#reading)
  }

  /** Applies what was wanted when the try looked, and whatever changed since. */
  begin(wanted: ControlRequest | undefined): void {
    this.#begun = true
    this.#apply(wanted)
    if (this.#again) this.look()
  }

  /** Calls `resolve` with the answer of a lock, once; the result ends that. Looks at once: the answer may be there. */
  expect(lid: string, resolve: (lease: Lease) => void): () => void {
    this.#expected.set(lid, resolve)
    this.look()
    return () => this.#expected.delete(lid)
  }

  /** The answer of a lock if there is one now; asks again while the store is away. */
  async lastLook(lid: string): Promise<Lease | undefined> {
    for (;;) {
      try {
        return (await this.#source.answers()).find((answer) => answer.lid === lid)
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error
        if (this.#closed) return undefined
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
    }
  }

  /** Reads what is wanted and, when locks wait, the answers; one read at a time. */
  look(): void {
    if (this.#closed) return
    this.#again = true
    if (!this.#begun) return
    if (!this.#reading) void this.#readAll()
  }

  /** Ends it; nothing is applied after this. */
  close(): void {
    this.#closed = true
    this.#unsubscribe?.()
    clearTimeout(this.#retry)
  }

  async #readAll(): Promise<void> {
    this.#reading = true
    try {
      while (this.#again && !this.#closed) {
        this.#again = false
        await this.#read()
      }
    } catch (error) {
      if (error instanceof UnavailableError) {
        this.#again = true
        this.#retry = setTimeout(() => this.look(), AGAIN_MS)
      } else this.#fail(error)
    } finally {
      this.#reading = false
    }
  }

  async #read(): Promise<void> {
    const wanted = await this.#source.wanted()
    if (!this.#closed) this.#apply(wanted)
    if (this.#expected.size === 0) return
    for (const answer of await this.#source.answers()) {
      if (this.#closed) return
      const resolve = this.#expected.get(answer.lid)
      this.#expected.delete(answer.lid)
      resolve?.(answer)
    }
  }
}
