import type { Json, RunEvent } from '@koco/core'
import type { ControlRequest, LockAnswer } from '@koco/storage'
import type { Producer } from '@koco/transport'
import { z } from 'zod'
import type { ChildRuns } from '../children/child-runs.ts'
import type { FlowContext } from '../context.ts'
import { defineFlow, type Flow } from '../flow.ts'
import { TestChildren } from './children.ts'
import { Timeline } from './timeline.ts'
import { seeded, seededUuid } from './world.ts'
import { systemClock, type Clock } from '../clock.ts'
import { executeTry } from '../executor/execute.ts'
import { defaultLimits, type TryDeps, type TryLimits, type TryOutcome } from '../executor/try.ts'

/** A run on a timeline in memory, for tests of the executor: its tries are made one by one, and people's requests are set by hand. */
export class ScriptedRun {
  readonly timeline = new Timeline('70d3a88000000000000000aa')
  readonly answers: LockAnswer[] = []
  readonly deltas: string[] = []
  /** Its child runs; without change every flow is unknown. */
  children: ChildRuns = new TestChildren(
    {},
    () => Promise.reject(new Error('no flow')),
    () => 0,
  )
  limits: Partial<TryLimits>
  wanted: ControlRequest | undefined
  /** Puts something around the producers of later tries. */
  wrap: (producer: Producer) => Producer = (producer) => producer
  stop = new AbortController()
  stopNow = new AbortController()
  readonly #flow: Flow
  readonly #clock: Clock
  readonly #listeners = new Set<() => void>()
  #attempt = 0

  constructor(flow: Flow, limits: Partial<TryLimits> = {}, clock: Clock = systemClock) {
    this.#flow = flow
    this.#clock = clock
    this.limits = limits
  }

  get events(): readonly RunEvent[] {
    return this.timeline.events
  }

  /** Makes a try. */
  attempt(reason: TryDeps['reason'] = this.#attempt === 0 ? 'start' : 'recover', change: Partial<TryDeps> = {}): Promise<TryOutcome> {
    this.#attempt += 1
    return executeTry({ ...this.#deps(reason), ...change })
  }

  ask(wanted: 'run' | 'pause' | 'cancel', reason: string | null = null): void {
    this.wanted = { wanted, by: 'ada', reason, at: this.#clock.now() / 1000 }
    this.#tell()
  }

  answer(lid: string, answer: Json): void {
    this.answers.push({ lid, answer, by: 'ada', at: this.#clock.now() / 1000 })
    this.#tell()
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  #deps(reason: TryDeps['reason']): TryDeps {
    const random = seeded(7)
    return {
      flow: this.#flow,
      run: { fid: this.timeline.fid, user: 'ada', inputs: {}, parent: null },
      producer: this.wrap(this.timeline.producer(this.#flow.name)),
      reader: this.timeline.reader,
      requests: {
        wanted: async () => this.wanted,
        answers: async () => this.answers,
        onChange: (listener) => {
          this.#listeners.add(listener)
          return () => this.#listeners.delete(listener)
        },
      },
      children: this.children,
      attempt: this.#attempt,
      reason,
      owner: 'test',
      stop: this.stop.signal,
      stopNow: this.stopNow.signal,
      clock: this.#clock,
      random,
      uuid: () => seededUuid(random),
      onCommitted: () => () => undefined,
      publish: async (signals) => {
        for (const signal of signals) if (signal.topic === 'delta') this.deltas.push(signal.text)
      },
      log: () => undefined,
      limits: { ...defaultLimits, idleMs: 15, graceMs: 200, ...this.limits },
    }
  }
}

/** A flow of these words. */
export function scriptedFlow(run: (ctx: FlowContext) => unknown, timeout?: number): Flow {
  return defineFlow({
    name: 'scripted',
    summary: 'A test',
    inputs: z.object({}),
    ...(timeout !== undefined && { timeout }),
    run: (_inputs, ctx) => run(ctx),
  })
}
