import { RefusedError, type ErrorValue, type Json, type TypedValue } from '@koco/core'
import type { ChildEnd, ChildRuns, ChildStart } from '../children/child-runs.ts'
import { errorValue } from '../errors.ts'
import { isFlow, type Flow } from '../flow.ts'
import { typedValue } from '../value.ts'

/** What stands for the child runs of a flow in a test: the flow itself, or what they return, made of their inputs. What it throws is their error. */
export type TestChild = Flow | ((inputs: Json) => unknown)

/** A child run that was started in a test. */
export type TestChildRun = { readonly fid: string; readonly flow: string; readonly inputs: Json }

/** How a test run ended. */
export type TestEnd = {
  readonly status: 'finished' | 'error' | 'cancelled' | 'timed_out'
  readonly final: TypedValue | null
  readonly error: ErrorValue | null
}

/** The children of a test run: each is run to its end when it is started. */
export class TestChildren implements ChildRuns {
  readonly started: TestChildRun[] = []
  readonly #table: Readonly<Record<string, TestChild>>
  readonly #runFlow: (flow: Flow, inputs: Json) => Promise<TestEnd>
  readonly #now: () => number
  readonly #ends = new Map<string, ChildEnd>()

  /** `runFlow` runs a flow as the test runs its own; `now` is in unix seconds. */
  constructor(table: Readonly<Record<string, TestChild>>, runFlow: (flow: Flow, inputs: Json) => Promise<TestEnd>, now: () => number) {
    this.#table = table
    this.#runFlow = runFlow
    this.#now = now
  }

  async start({ fid, flow, inputs, definition }: ChildStart): Promise<void> {
    if (this.#ends.has(fid)) return
    const child = Object.hasOwn(this.#table, flow) ? this.#table[flow] : definition
    if (!child)
      throw new RefusedError(`A child run of flow "${flow}" was started and the test has none: give the flow, or a function, in \`children\`.`, {
        code: 'no_child',
      })
    this.started.push({ fid, flow, inputs })
    const end = isFlow(child) ? endOf(await this.#runFlow(child, inputs)) : await endOfCall(child, inputs)
    this.#ends.set(fid, { ...end, fid, at: this.#now() })
  }

  async ended(fids: readonly string[]): Promise<readonly ChildEnd[]> {
    return fids.flatMap((fid) => this.#ends.get(fid) ?? [])
  }

  onEnded(): () => void {
    return () => undefined
  }

  async retry(): Promise<void> {
    await Promise.resolve()
  }

  async stop(): Promise<void> {
    await Promise.resolve()
  }
}

type Ending = Pick<Extract<ChildEnd, { status: 'finished' }>, 'status' | 'result'> | Pick<Exclude<ChildEnd, { status: 'finished' }>, 'status' | 'error'>

function endOf({ status, final, error }: TestEnd): Ending {
  if (status === 'finished') return { status, result: final ?? { type: 'json', value: null } }
  return { status, error: error ?? { name: 'Error', message: `it was ${status}` } }
}

async function endOfCall(call: (inputs: Json) => unknown, inputs: Json): Promise<Ending> {
  try {
    return { status: 'finished', result: typedValue((await call(inputs)) ?? null, 'The result of a child in a test') }
  } catch (error) {
    return { status: 'error', error: errorValue(error) }
  }
}
