import { setTimeout as sleep } from 'node:timers/promises'
import { comparePositions, isEnded, UnavailableError } from '@koco/core'
import type { RunSummary } from '@koco/storage'
import { reasonOf, type Entry } from './entry.ts'
import type { DirectSettings } from './options.ts'
import type { Supervisor } from './supervisor.ts'

const PAGE = 500
const LOOKUPS_AT_ONCE = 16
const STORED_LOOK_MS = 25
const STORED_LOOKS_MAX = 200

/** Finds the unfinished direct runs that nobody looks after: at the start, and now and then (a run whose events reached the store late). */
export class Recovery {
  readonly #settings: DirectSettings
  readonly #supervisor: Supervisor
  #timer: NodeJS.Timeout | undefined
  #sweeping: Promise<void> | undefined

  constructor(settings: DirectSettings, supervisor: Supervisor) {
    this.#settings = settings
    this.#supervisor = supervisor
  }

  /** Begins at once. */
  start(): void {
    this.#sweeping = this.#sweep().finally(() => {
      if (!this.#supervisor.stopping) this.#timer = setTimeout(() => this.start(), this.#settings.sweepMs)
    })
  }

  /** Takes in one run that is not looked after; undefined when it is over or unknown. */
  async adopt(fid: string): Promise<Entry | undefined> {
    const run = await this.#settings.store.runs.get(fid)
    if (!run || run.launcher !== 'direct' || isEnded(run.status)) return undefined
    await this.#take(run)
    return this.#supervisor.get(fid)
  }

  /** Looks no more. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#sweeping
    clearTimeout(this.#timer)
  }

  // Those that were at work go on at once; only then the waiting ones are looked at, however many there are.
  async #sweep(): Promise<void> {
    const { store, log } = this.#settings
    const waiting: RunSummary[] = []
    try {
      let after: string | null = null
      while (!this.#supervisor.stopping) {
        const runs: readonly RunSummary[] = await store.runs.unfinished('direct', after, PAGE)
        const unknown = runs.filter((run) => !this.#supervisor.get(run.fid))
        await this.#takeAll(unknown.filter(atWork))
        waiting.push(...unknown.filter((run) => !atWork(run)))
        const last = runs.at(-1)
        if (!last || runs.length < PAGE) break
        after = last.fid
      }
      await this.#takeAll(waiting)
      await this.#supervisor.parents.lookAgain()
    } catch (error) {
      log(error instanceof UnavailableError ? 'warn' : 'error', 'unfinished runs could not be looked for; they are looked for again', error)
    }
  }

  async #takeAll(runs: readonly RunSummary[]): Promise<void> {
    const left = runs.values()
    const lookup = async (): Promise<void> => {
      for (const run of left) {
        if (this.#supervisor.stopping) return
        await this.#take(run)
      }
    }
    await Promise.all(Array.from({ length: LOOKUPS_AT_ONCE }, lookup))
  }

  async #take(found: RunSummary): Promise<void> {
    const run = await this.#asStored(found)
    if (run === undefined || this.#supervisor.stopping) return
    const entry = this.#supervisor.add(run.fid, run.flow, reasonOf(run.status))
    if (!entry) return
    try {
      await this.#place(entry, run)
    } catch (error) {
      this.#supervisor.drop(entry)
      throw error
    }
  }

  /**
   * The run once the store has what its stream has: its end may be on the way, and a try that began now would write behind it. Undefined for one that is over. What the store never takes (a stranger's entry, what
   * a replaced process wrote) is not waited for longer than a while.
   */
  async #asStored(found: RunSummary): Promise<RunSummary | undefined> {
    const { store, transport } = this.#settings
    const top = await transport.streams.top(found.fid)
    let run: RunSummary | undefined = found
    for (let looks = 0; looks < STORED_LOOKS_MAX && top && comparePositions(run.lastPosition, top) < 0; looks += 1) {
      if (this.#supervisor.stopping) return undefined
      await sleep(STORED_LOOK_MS)
      run = await store.runs.get(found.fid)
      if (run === undefined || isEnded(run.status)) return undefined
    }
    return run
  }

  async #place(entry: Entry, run: RunSummary): Promise<void> {
    const { store, clock } = this.#settings
    entry.control = await store.runs.wanted(run.fid)
    if (atWork(run)) return this.#supervisor.schedule(entry, 'recover')
    const wakeAt = run.wakeAt === null ? null : run.wakeAt * 1000
    this.#supervisor.park(entry, run.status === 'paused' ? 'paused' : 'waiting', wakeAt)
    if (wakeAt !== null && wakeAt <= clock.now()) return undefined
    this.#supervisor.consider(entry, entry.state === 'waiting' && run.openLocks > 0 && (await this.#answered(run.fid)))
    // What it waits for among its children only its function knows: so it is asked when there is news.
    if (entry.state === 'waiting') await this.#supervisor.parents.waitForAny(entry.fid)
  }

  /** True when an open lock has an accepted answer that its run does not know of. */
  async #answered(fid: string): Promise<boolean> {
    const answers = await this.#settings.store.locks.answers(fid)
    for (const { lid } of answers) {
      const lock = await this.#settings.store.locks.get(fid, lid)
      if (lock?.status === 'open') return true
    }
    return false
  }
}

function atWork(run: RunSummary): boolean {
  return run.status === 'running' || run.status === 'starting'
}
