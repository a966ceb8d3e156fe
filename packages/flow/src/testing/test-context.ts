import type { RunEvent } from '@koco/core'
import type { FlowContext } from '../context.ts'
import { createContext } from '../executor/context.ts'
import { inFrame } from '../executor/frame.ts'
import { Runtime } from '../executor/runtime.ts'
import { defineFlow } from '../flow.ts'
import { z } from 'zod'
import { testTryDeps, type TestRunOptions } from './run-flow.ts'

/** A context for testing a function that takes one. */
export type TestContext = {
  readonly ctx: FlowContext
  /** What was emitted so far. */
  readonly events: () => readonly RunEvent[]
  /** What was written by `ctx.files` so far, by path. */
  readonly files: () => Readonly<Record<string, Uint8Array>>
  /** Runs `work` as a flow's function would be run, so that groups and steps find their place; not needed for plain calls. */
  readonly run: <T>(work: (ctx: FlowContext) => Promise<T>) => Promise<T>
}

const flow = defineFlow({ name: 'test', summary: 'A function under test', inputs: z.object({}), run: () => undefined })

/** A context without a run behind it: steps are done at once, locks answered from the table, sleeps skipped, events recorded. */
export function createTestContext(options: TestRunOptions = {}): TestContext {
  const { deps, timeline, written } = testTryDeps(flow, {}, options, true)
  const runtime = new Runtime(
    deps,
    () => undefined,
    () => undefined,
  )
  runtime.emit('attempt', { attempt: 1, reason: 'start', owner: 'test' })
  runtime.requests.begin(undefined)
  const ctx = createContext(runtime)
  return {
    ctx,
    files: written,
    events: () => timeline.events.filter(({ kind }) => kind !== 'attempt'),
    run: (work) => inFrame(runtime.root, () => work(ctx)),
  }
}
