import { setMaxListeners } from 'node:events'
import { UnavailableError } from '@koco/core'
import { errorValue } from '../errors.ts'
import type { Launcher } from '../launcher.ts'
import { Alarms } from './alarms.ts'
import { Committed } from './committed.ts'
import { Entry, type NextTry } from './entry.ts'
import type { DirectSettings } from './options.ts'
import { Parents } from './parents.ts'
import { Tries, type MadeTry } from './tries.ts'

/** Tries of a run that may break one after the other, for a reason that no waiting heals, before the run is ended. */
const BROKEN_MAX = 5

/** Looks after the runs of this process: makes their tries, a bounded number at a time, and wakes the waiting ones. */
export class Supervisor {
  readonly committed = new Committed()
  readonly parents: Parents
  readonly #settings: DirectSettings
  readonly #entries = new Map<string, Entry>()
  readonly #alarms: Alarms
  readonly #tries: Tries
  readonly #stop = new AbortController()
  readonly #stopNow = new AbortController()
  #queue: Entry[] = []
  #executing = 0
  #quiet: (() => void) | undefined

  /** By `launcher` runs reach their children. */
  constructor(settings: DirectSettings, launcher: Pick<Launcher, 'start' | 'retry' | 'cancel'>) {
    this.#settings = settings
    this.#tries = new Tries({ settings, launcher, committed: this.committed, stop: this.#stop.signal, stopNow: this.#stopNow.signal })
    this.parents = new Parents(settings.store, (fid) => this.#childrenEnded(fid))
    this.committed.onEnded((fid) => this.parents.ended(fid))
    this.#alarms = new Alarms(settings.clock)
    setMaxListeners(0, this.#stop.signal, this.#stopNow.signal)
  }

  get stopping(): boolean {
    return this.#stop.signal.aborted
  }

  /** Runs that wait for a free place. */
  get queued(): number {
    return this.#queue.length
  }

  get(fid: string): Entry | undefined {
    return this.#entries.get(fid)
  }

  /** Takes a run in; undefined when it is looked after already. */
  add(fid: string, flow: string, next: NextTry): Entry | undefined {
    if (this.#entries.has(fid)) return undefined
    const entry = new Entry(fid, flow, next)
    this.#entries.set(fid, entry)
    return entry
  }

  drop(entry: Entry): void {
    this.#alarms.clear(entry.fid)
    this.parents.forget(entry.fid)
    this.#entries.delete(entry.fid)
    entry.gone.resolve()
    entry.notBegun(new UnavailableError(`Run ${entry.fid} could not be taken up. Try again.`, { code: 'not_begun' }))
  }

  /** Makes the next try of a run as soon as there is a free place. */
  schedule(entry: Entry, next: NextTry): void {
    if (this.stopping || entry.state === 'queued' || entry.state === 'executing') return
    this.#alarms.clear(entry.fid)
    this.parents.forget(entry.fid)
    entry.next = next
    entry.state = 'queued'
    this.#queue.push(entry)
    this.#pump()
  }

  /** Puts a run aside until somebody asks something of it, or until a time (ms). */
  park(entry: Entry, state: 'waiting' | 'paused', wakeAt: number | null): void {
    entry.state = state
    if (state === 'waiting' && wakeAt !== null) this.#alarms.set(entry.fid, wakeAt, () => this.schedule(entry, 'wake'))
  }

  /** Acts on what was asked of a run that no try is at. `answered`: an answer to one of its locks was accepted. */
  consider(entry: Entry, answered: boolean): void {
    if (entry.state !== 'waiting' && entry.state !== 'paused' && entry.state !== 'resting') return
    const wanted = entry.control?.wanted
    if (wanted === 'cancel') this.schedule(entry, entry.next)
    else if (entry.state === 'paused') {
      if (wanted !== 'pause') this.schedule(entry, 'resume')
    } else if (entry.state === 'waiting' && (answered || wanted === 'pause')) this.schedule(entry, 'wake')
  }

  /** Lets tries come to a step border within `graceMs`, then cuts the rest; no try is made after this. */
  async close(graceMs: number): Promise<void> {
    this.#stop.abort()
    this.#queue = []
    this.#alarms.clearAll()
    if (this.#executing > 0) {
      const timer = setTimeout(() => this.#stopNow.abort(), graceMs)
      await new Promise<void>((resolve) => {
        this.#quiet = resolve
      })
      clearTimeout(timer)
    }
    this.committed.close()
  }

  #pump(): void {
    while (this.#executing < this.#settings.concurrency) {
      const entry = this.#queue.shift()
      if (!entry) return
      this.#executing += 1
      entry.state = 'executing'
      void this.#execute(entry).finally(() => {
        this.#executing -= 1
        if (this.#executing === 0) this.#quiet?.()
        this.#pump()
      })
    }
  }

  async #execute(entry: Entry): Promise<void> {
    try {
      this.#after(entry, await this.#tries.make(entry))
    } catch (error) {
      entry.notBegun(error)
      this.#failed(entry, error)
    }
  }

  #after(entry: Entry, outcome: MadeTry): void {
    switch (outcome.outcome) {
      case 'suspended':
        this.park(entry, outcome.status === 'paused' ? 'paused' : 'waiting', outcome.wakeAt === null ? null : outcome.wakeAt * 1000)
        if (entry.changed) this.consider(entry, true)
        if (entry.state === 'waiting' && outcome.children) this.#parkParent(entry, outcome.children)
        return
      case 'lost':
        entry.lost = { from: outcome.from, to: outcome.to }
        return this.#rest(entry, `events ${outcome.from} to ${outcome.to} are lost`)
      case 'fenced':
        return this.#rest(entry, 'a later try has written')
      default:
        return this.drop(entry)
    }
  }

  #childrenEnded(fid: string): void {
    const entry = this.#entries.get(fid)
    if (entry) this.consider(entry, true)
  }

  #parkParent(entry: Entry, groups: readonly (readonly string[])[]): void {
    this.parents.wait(entry.fid, groups).catch((error: unknown) => this.#settings.log('warn', `the children of run ${entry.fid} are looked at later`, error))
  }

  #failed(entry: Entry, error: unknown): void {
    if (!(error instanceof UnavailableError) && !this.stopping) {
      this.#settings.log('error', `a try of run ${entry.fid} broke`, error)
      entry.broken += 1
      if (entry.broken >= BROKEN_MAX) entry.end = { status: 'error', error: errorValue(error) }
    }
    this.#rest(entry, errorValue(error).message)
  }

  /** Tries again by itself after a while: nothing here is the flow's fault. */
  #rest(entry: Entry, why: string): void {
    const { backOffMs, clock, log, transport } = this.#settings
    if (this.stopping) return this.drop(entry)
    entry.failures += 1
    entry.state = 'resting'
    entry.next = entry.next === 'retry' && entry.onBegun !== undefined ? 'retry' : 'recover'
    const most = Math.min(backOffMs.most, backOffMs.first * 2 ** Math.min(entry.failures - 1, 20))
    const delayMs = most * (0.5 + Math.random() / 2)
    log('warn', `run ${entry.fid} is tried again in ${Math.round(delayMs)} ms: ${why}`)
    this.#alarms.set(entry.fid, clock.now() + delayMs, () => {
      // A clock that went back gives epochs that are fenced at once: the stream knows the latest.
      void transport.streams
        .top(entry.fid)
        .then((top) => (entry.epochFloor = Math.max(entry.epochFloor, (top?.epoch ?? -1) + 1)))
        .catch(() => undefined)
        .finally(() => this.schedule(entry, entry.next))
    })
  }
}
