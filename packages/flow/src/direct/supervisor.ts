import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { isEnded, UnavailableError, type RunState } from '@koco/core'
import { createProducer, type Producer } from '@koco/transport'
import { storedBudgets, type Budgets } from '../budgets/stored-budgets.ts'
import { stopChildren as stopAll, storedChildren } from '../children/stored-children.ts'
import type { ChildRuns } from '../children/child-runs.ts'
import { errorValue } from '../errors.ts'
import { executeTry } from '../executor/execute.ts'
import { finaliseRun, type RunEnd } from '../executor/finalise.ts'
import type { TryDeps, TryOutcome, TryRun } from '../executor/try.ts'
import type { Flow } from '../flow.ts'
import type { Launcher } from '../launcher.ts'
import { Alarms } from './alarms.ts'
import { Committed } from './committed.ts'
import { Entry, type NextTry } from './entry.ts'
import type { DirectSettings } from './options.ts'
import { Parents } from './parents.ts'

/** Tries of a run that may break one after the other, for a reason that no waiting heals, before the run is ended. */
const BROKEN_MAX = 5

/** Looks after the runs of this process: makes their tries, a bounded number at a time, and wakes the waiting ones. */
export class Supervisor {
  readonly committed = new Committed()
  readonly parents: Parents
  readonly #settings: DirectSettings
  readonly #entries = new Map<string, Entry>()
  readonly #alarms: Alarms
  readonly #budgets: Budgets
  readonly #launcher: Pick<Launcher, 'start' | 'retry' | 'cancel'>
  readonly #stop = new AbortController()
  readonly #stopNow = new AbortController()
  #queue: Entry[] = []
  #executing = 0
  #quiet: (() => void) | undefined

  /** By `launcher` runs reach their children. */
  constructor(settings: DirectSettings, launcher: Pick<Launcher, 'start' | 'retry' | 'cancel'>) {
    this.#settings = settings
    this.#launcher = launcher
    this.#budgets = storedBudgets(settings.store, settings.clock)
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
    entry.onBegun?.reject(new UnavailableError(`Run ${entry.fid} could not be taken up. Try again.`, { code: 'not_begun' }))
    entry.onBegun = undefined
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
    const { fresh } = entry
    entry.fresh = undefined
    try {
      await (fresh ? this.#first(entry, fresh) : this.#later(entry))
    } catch (error) {
      entry.onBegun?.reject(error)
      entry.onBegun = undefined
      this.#failed(entry, error)
    }
  }

  async #first(entry: Entry, run: TryRun): Promise<void> {
    const flow = this.#settings.catalog.get(entry.flow)
    if (!flow) return this.#later(entry)
    entry.attempt = 1
    const producer = this.#producer(entry, Math.floor(this.#settings.clock.now()))
    this.#after(entry, await executeTry(this.#tryDeps(entry, run, flow, producer)))
  }

  async #later(entry: Entry): Promise<void> {
    const run = await this.#settings.store.runs.get(entry.fid)
    if (!run || (isEnded(run.status) && entry.next !== 'retry')) return this.drop(entry)
    entry.attempt = Math.max(entry.attempt, run.attempt) + 1
    const flow = this.#settings.catalog.get(entry.flow)
    const end = entry.control?.wanted === 'cancel' ? cancelled(entry.control) : entry.end
    const epoch = Math.max(await this.#settings.store.runs.nextEpoch(entry.fid, this.#settings.clock.now()), entry.epochFloor)
    const producer = this.#producer(entry, epoch)
    if (end || !flow) return this.#finalise(entry, producer, end ?? vanished(entry.flow))
    return this.#after(entry, await executeTry(this.#tryDeps(entry, tryRun(run), flow, producer)))
  }

  async #finalise(entry: Entry, producer: Producer, end: RunEnd): Promise<void> {
    const { store, clock, owner, log } = this.#settings
    const { fid, attempt } = entry
    const onCommitted = (listener: Parameters<Committed['on']>[1]): (() => void) => this.committed.on(fid, listener)
    const stopChildren: ChildRuns['stop'] = (by, reason) => stopAll(store, this.#launcher, { fid, by, reason })
    const done = await finaliseRun({ fid, end, producer, reader: store.reader, onCommitted, clock, attempt, owner, signal: this.#stopNow.signal, stopChildren })
    if (done === 'written') log('info', `run ${fid} was ended as ${end.status}`)
    this.drop(entry)
  }

  #producer(entry: Entry, epoch: number): Producer {
    const { store, transport } = this.#settings
    const storeTop = async () => {
      const run = await store.runs.get(entry.fid)
      if (!run) throw new UnavailableError(`Run ${entry.fid} is not in the store.`, { code: 'no_such_run' })
      return { top: run.lastPosition, ended: isEnded(run.status) }
    }
    const committed = (listener: Parameters<Committed['on']>[1]): (() => void) => this.committed.on(entry.fid, listener)
    return createProducer({ streams: transport.streams, fid: entry.fid, flow: entry.flow, epoch, storeTop, committed })
  }

  #tryDeps(entry: Entry, run: TryRun, flow: Flow, producer: Producer): TryDeps {
    const { store, transport, clock, owner, log, limits, files, workspaces } = this.#settings
    const { fid, next: reason, attempt, lost } = entry
    entry.changed = false
    return {
      flow,
      run,
      producer,
      attempt,
      reason,
      owner,
      clock,
      log,
      limits,
      files,
      workspaces,
      budgets: this.#budgets,
      reader: store.reader,
      sessions: store.sessions,
      requests: {
        wanted: async () => entry.control,
        answers: () => {
          entry.changed = false
          return store.locks.answers(fid)
        },
        onChange: (listener) => {
          entry.listeners.add(listener)
          return () => entry.listeners.delete(listener)
        },
      },
      children: this.#children(run),
      ...(lost && { lost }),
      stop: this.#stop.signal,
      stopNow: this.#stopNow.signal,
      onBegun: () => this.#begun(entry),
      random: Math.random,
      uuid: randomUUID,
      onCommitted: (listener) => this.committed.on(fid, listener),
      publish: (signals) => transport.signals.publish(signals),
    }
  }

  #begun(entry: Entry): void {
    entry.failures = 0
    entry.lost = undefined
    entry.onBegun?.resolve()
    entry.onBegun = undefined
  }

  #after(entry: Entry, outcome: TryOutcome): void {
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

  #children(run: TryRun): ChildRuns {
    return storedChildren({ store: this.#settings.store, launcher: this.#launcher, onEnded: (listener) => this.committed.onEnded(listener), run })
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

function tryRun(run: RunState): TryRun {
  return { fid: run.fid, user: run.user, inputs: run.inputs, parent: run.parent }
}

function cancelled({ by, reason }: { readonly by: string; readonly reason: string | null }): RunEnd {
  return { status: 'cancelled', by, reason }
}

function vanished(flow: string): RunEnd {
  const message = `The flow "${flow}" is not served any more. Serve it again (--flows), then retry the run.`
  return { status: 'error', error: { name: 'RefusedError', message, code: 'unknown_flow' } }
}
