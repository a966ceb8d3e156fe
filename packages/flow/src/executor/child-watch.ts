import { UnavailableError, type EventData } from '@koco/core'
import type { ChildRun } from '../context.ts'
import type { ChildEnd, ChildRuns } from '../children/child-runs.ts'
import type { Journal } from './journal.ts'

/** What the watch needs of the try that it serves; the runtime of a try is one. */
export interface WatchedTry {
  readonly deps: { readonly children: ChildRuns }
  readonly journal: Pick<Journal, 'children' | 'endChild' | 'retriedAt'>
  readonly phase: 'open' | 'unwinding' | 'closed'
  emit(kind: 'child', data: EventData['child']): void
  begin(): () => void
  flush(): Promise<void>
  onClose(listener: () => void): void
}

/** A wait for children: resolved when all of them have ended in the journal, or with the error that kept an end out of it. */
type Expected = { readonly children: readonly ChildRun[]; readonly resolve: (error: unknown) => void }

/** Signals may be lost: so the ends are looked for this often, too. */
const AGAIN_MS = 5000

/** Looks out for the ends of children while waits of a try expect them, and journals what it finds. */
export class ChildWatch {
  readonly #try: WatchedTry
  readonly #expected = new Set<Expected>()
  readonly #retried = new Set<string>()
  #unsubscribe: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #reading = false
  #again = false

  constructor(watched: WatchedTry) {
    this.#try = watched
    watched.onClose(() => this.#rest())
  }

  /** Calls `resolve` once all of these have ended; the result takes that back. */
  expect(children: readonly ChildRun[], resolve: (error: unknown) => void): () => void {
    const expected = { children, resolve }
    this.#expected.add(expected)
    this.#unsubscribe ??= this.#try.deps.children.onEnded((fid) => this.#missing().has(fid) && this.#look())
    this.#timer ??= setInterval(() => this.#look(), AGAIN_MS)
    this.#look()
    return () => {
      this.#expected.delete(expected)
      if (this.#expected.size === 0) this.#rest()
    }
  }

  #rest(): void {
    this.#unsubscribe?.()
    clearInterval(this.#timer)
    this.#unsubscribe = undefined
    this.#timer = undefined
  }

  #look(): void {
    this.#again = true
    if (!this.#reading) void this.#readAll()
  }

  async #readAll(): Promise<void> {
    this.#reading = true
    try {
      while (this.#again && this.#expected.size > 0 && this.#try.phase === 'open') {
        this.#again = false
        await this.#read()
      }
    } catch (error) {
      // A store that is away is asked again by the timer.
      if (!(error instanceof UnavailableError)) this.#fail(error)
    } finally {
      this.#reading = false
    }
  }

  async #read(): Promise<void> {
    const missing = this.#missing()
    const ends = await this.#try.deps.children.ended([...missing.keys()])
    if (this.#try.phase !== 'open') return
    const fresh = ends.filter((end) => !this.#isBeforeRetry(end))
    for (const end of fresh) this.#journal(missing.get(end.fid), end)
    for (const end of ends) if (!fresh.includes(end)) await this.#retry(end.fid)
    if (fresh.length > 0) await this.#flush()
    for (const { children, resolve } of this.#expected) if (children.every(({ id }) => this.#try.journal.children.get(id)?.end)) resolve(undefined)
  }

  /** The children that no journaled end is there of, by fid. */
  #missing(): Map<string, ChildRun> {
    const all = [...this.#expected].flatMap(({ children }) => children)
    return new Map(all.filter(({ id }) => !this.#try.journal.children.get(id)?.end).map((child) => [child.fid, child]))
  }

  // What failed before the parent was retried is done again, as a failed step is.
  #isBeforeRetry(end: ChildEnd): boolean {
    return end.status !== 'finished' && end.at <= this.#try.journal.retriedAt
  }

  async #retry(fid: string): Promise<void> {
    if (this.#retried.has(fid)) return
    await this.#try.deps.children.retry(fid)
    this.#retried.add(fid)
    this.#again = true
  }

  #journal(child: ChildRun | undefined, end: ChildEnd): void {
    if (!child) return
    const about = { phase: 'ended', id: child.id, fid: child.fid, flow: child.flow } as const
    this.#try.emit(
      'child',
      end.status === 'finished' ? { ...about, status: end.status, result: end.result } : { ...about, status: end.status, error: end.error },
    )
    this.#try.journal.endChild(child.id, end)
  }

  async #flush(): Promise<void> {
    const end = this.#try.begin()
    await this.#try.flush()
    end()
  }

  #fail(error: unknown): void {
    for (const { resolve } of this.#expected) resolve(error)
  }
}
