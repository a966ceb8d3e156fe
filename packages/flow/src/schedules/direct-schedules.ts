import { UnavailableError } from '@koco/core'
import type { ExecutionStore, FlowEntry, Schedule } from '@koco/storage'
import { systemClock, type Clock } from '../clock.ts'
import type { Launcher } from '../launcher.ts'
import { dueStarts } from './due-starts.ts'
import type { Schedules } from './port.ts'
import { startDue } from './start.ts'
import { storedSchedules } from './stored-schedules.ts'
import { nextDue } from './timing.ts'

/** What direct schedules need. Several processes may have them over one store. */
export type DirectSchedulesOptions = {
  readonly store: Pick<ExecutionStore, 'runs' | 'schedules'>
  readonly launcher: Pick<Launcher, 'name' | 'start'>
  /** The flows that are served. */
  readonly flows: () => Promise<readonly FlowEntry[]>
  /** Default: the machine's. */
  readonly clock?: Clock
  readonly log?: (level: 'info' | 'warn' | 'error', message: string, details?: unknown) => void
}

/** Another process may have made a schedule that is due earlier than those known here: so the store is asked this often. */
const LOOK_MS = 5000
const PAGE = 100

/** Schedules whose starts this process makes, and any other that has them open over the same store: each start is made once. Begins at once with what is due. */
export function createDirectSchedules(options: DirectSchedulesOptions): Schedules {
  const { store, launcher, flows } = options
  const clock = options.clock ?? systemClock
  const starter = new Starter({ store, launcher, clock, log: options.log ?? (() => undefined) })
  starter.look()
  return {
    ...storedSchedules({
      store,
      launcher,
      clock,
      flows,
      changed: async () => starter.look(),
    }),
    close: () => starter.close(),
  }
}

type StarterDeps = Pick<Required<DirectSchedulesOptions>, 'store' | 'launcher' | 'clock' | 'log'>

/** Makes the starts that are due, then sleeps until the next one. */
class Starter {
  readonly #deps: StarterDeps
  #cancelTimer: () => void = () => undefined
  #looking: Promise<void> | undefined
  #again = false
  #closed = false

  constructor(deps: StarterDeps) {
    this.#deps = deps
  }

  look(): void {
    this.#again = true
    this.#looking ??= this.#lookAll()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelTimer()
    await this.#looking
  }

  async #lookAll(): Promise<void> {
    const { clock, log } = this.#deps
    let nextLook = clock.now() + LOOK_MS
    try {
      while (this.#again && !this.#closed) {
        this.#again = false
        nextLook = await this.#startAll()
      }
    } catch (error) {
      log(error instanceof UnavailableError ? 'warn' : 'error', 'starts by schedule could not be made; they are made later', error)
    }
    // No await between the last look at `again` and this: a call in between would be lost.
    this.#looking = undefined
    this.#cancelTimer()
    if (!this.#closed) this.#cancelTimer = clock.timer(Math.max(0, nextLook - clock.now()), () => this.look())
  }

  /** Makes what is due; gives the time when something may be due again. */
  async #startAll(): Promise<number> {
    const { store, launcher, clock } = this.#deps
    const nextLook = clock.now() + LOOK_MS
    for (;;) {
      const due = await store.schedules.due(launcher.name, clock.now() / 1000, PAGE)
      let done = 0
      for (const schedule of due) {
        if (this.#closed) return nextLook
        if (await this.#tryStart(schedule)) done += 1
      }
      if (done < PAGE) break
    }
    const [next] = await store.schedules.due(launcher.name, Number.MAX_SAFE_INTEGER, 1)
    if (!next || next.nextAt === null) return nextLook
    const nextMs = Math.ceil(next.nextAt * 1000)
    // What was due and still is could not be started.
    return nextMs <= nextLook - LOOK_MS ? nextLook : Math.min(nextLook, nextMs)
  }

  /** False when the start is to be made later; it must not hold up the others. */
  async #tryStart(schedule: Schedule): Promise<boolean> {
    try {
      await this.#start(schedule)
      return true
    } catch (error) {
      this.#deps.log(error instanceof UnavailableError ? 'warn' : 'error', `the start of schedule ${schedule.id} could not be made; it is made later`, error)
      return false
    }
  }

  /** One step a start, so that a death in between repeats no more than one start, which its key makes harmless. */
  async #start(schedule: Schedule): Promise<void> {
    const { store, clock, log } = this.#deps
    const now = clock.now()
    let stored = schedule
    const starts = dueStarts(schedule, Math.round((schedule.nextAt ?? now / 1000) * 1000), now)
    for (const [index, at] of starts.entries()) {
      const outcome = await startDue(this.#deps, stored, at)
      if (outcome.problem !== null) log('warn', `schedule ${schedule.id}: ${outcome.problem}`)
      const nextMs = starts[index + 1] ?? nextDue(schedule, now)
      const step = { ...outcome, nextAt: nextMs === null ? null : nextMs / 1000 }
      if (!(await store.schedules.advance(schedule.id, stored.nextAt, step))) return
      stored = { ...stored, ...step }
    }
    if (starts.length > 0) return
    const next = nextDue(schedule, now)
    const { lastAt, lastFid } = stored
    const problem = `The starts up to ${new Date(now).toISOString()} were missed and are not made up for.`
    await store.schedules.advance(schedule.id, schedule.nextAt, { nextAt: next === null ? null : next / 1000, lastAt, lastFid, problem })
  }
}
