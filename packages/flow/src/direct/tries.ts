import { randomUUID } from 'node:crypto'
import { isEnded, UnavailableError, type RunState } from '@koco/core'
import { createProducer, type Producer } from '@koco/transport'
import { storedBudgets, type Budgets } from '../budgets/stored-budgets.ts'
import type { ChildRuns } from '../children/child-runs.ts'
import { stopChildren as stopAll, storedChildren } from '../children/stored-children.ts'
import { executeTry } from '../executor/execute.ts'
import { finaliseRun, type RunEnd } from '../executor/finalise.ts'
import type { TryDeps, TryOutcome, TryRun } from '../executor/try.ts'
import type { Flow } from '../flow.ts'
import type { Launcher } from '../launcher.ts'
import type { Committed } from './committed.ts'
import type { Entry } from './entry.ts'
import type { DirectSettings } from './options.ts'

/** What the tries of a process share. By `launcher` runs reach their children; `stop` ends tries at a step border, `stopNow` at once. */
export type TrySurroundings = {
  readonly settings: DirectSettings
  readonly launcher: Pick<Launcher, 'start' | 'retry' | 'cancel'>
  readonly committed: Committed
  readonly stop: AbortSignal
  readonly stopNow: AbortSignal
}

/** What became of a try; `over`: none was needed any more, or the run was ended without its flow. */
export type MadeTry = TryOutcome | { readonly outcome: 'over' }

/** Makes the tries of runs in this process. */
export class Tries {
  readonly #around: TrySurroundings
  readonly #budgets: Budgets

  constructor(around: TrySurroundings) {
    this.#around = around
    this.#budgets = storedBudgets(around.settings.store, around.settings.clock)
  }

  /** Makes the next try of a run. Rejects when the stream or the store are away, or when the try broke. */
  async make(entry: Entry): Promise<MadeTry> {
    const { catalog, clock } = this.#around.settings
    const { fresh } = entry
    entry.fresh = undefined
    const flow = catalog.get(entry.flow)
    if (!fresh || !flow) return this.#later(entry)
    entry.attempt = 1
    return executeTry(this.#deps(entry, fresh, flow, this.#producer(entry, Math.floor(clock.now()))))
  }

  async #later(entry: Entry): Promise<MadeTry> {
    const { store, catalog, clock } = this.#around.settings
    const run = await store.runs.get(entry.fid)
    if (!run || (isEnded(run.status) && entry.next !== 'retry')) return { outcome: 'over' }
    entry.attempt = Math.max(entry.attempt, run.attempt) + 1
    const flow = catalog.get(entry.flow)
    const end = entry.control?.wanted === 'cancel' ? cancelled(entry.control) : entry.end
    const epoch = Math.max(await store.runs.nextEpoch(entry.fid, clock.now()), entry.epochFloor)
    const producer = this.#producer(entry, epoch)
    if (end || !flow) return this.#finalise(entry, producer, end ?? vanished(entry.flow))
    return executeTry(this.#deps(entry, tryRun(run), flow, producer))
  }

  async #finalise(entry: Entry, producer: Producer, end: RunEnd): Promise<MadeTry> {
    const { settings, committed, launcher, stopNow: signal } = this.#around
    const { store, clock, owner, log } = settings
    const { fid, attempt } = entry
    const onCommitted = (listener: Parameters<Committed['on']>[1]): (() => void) => committed.on(fid, listener)
    const stopChildren: ChildRuns['stop'] = (by, reason) => stopAll(store, launcher, { fid, by, reason })
    const done = await finaliseRun({ fid, end, producer, reader: store.reader, onCommitted, clock, attempt, owner, signal, stopChildren })
    if (done === 'written') log('info', `run ${fid} was ended as ${end.status}`)
    return { outcome: 'over' }
  }

  #producer(entry: Entry, epoch: number): Producer {
    const { settings, committed } = this.#around
    const storeTop = async () => {
      const run = await settings.store.runs.get(entry.fid)
      if (!run) throw new UnavailableError(`Run ${entry.fid} is not in the store.`, { code: 'no_such_run' })
      return { top: run.lastPosition, ended: isEnded(run.status) }
    }
    const onCommitted = (listener: Parameters<Committed['on']>[1]): (() => void) => committed.on(entry.fid, listener)
    return createProducer({ streams: settings.transport.streams, fid: entry.fid, flow: entry.flow, epoch, storeTop, committed: onCommitted })
  }

  #deps(entry: Entry, run: TryRun, flow: Flow, producer: Producer): TryDeps {
    const { settings, launcher, committed, stop, stopNow } = this.#around
    const { store, transport, clock, owner, log, limits, files, contents, workspaces } = settings
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
      contents,
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
      children: storedChildren({ store, launcher, onEnded: (listener) => committed.onEnded(listener), run }),
      ...(lost && { lost }),
      stop,
      stopNow,
      onBegun: () => entry.begun(),
      random: Math.random,
      uuid: randomUUID,
      onCommitted: (listener) => committed.on(fid, listener),
      publish: (signals) => transport.signals.publish(signals),
    }
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
