import { assert, RefusedError, type EventData, type EventKind, type TypedValue } from '@koco/core'
import type { ChildRun, FlowContext, FlowName, LockOptions, ModelCall, RunLog, StepInfo, StepOptions, ToolCall } from '../context.ts'
import { errorValue } from '../errors.ts'
import { jsonOf, typedValue } from '../value.ts'
import { startChild, waitForChildren } from './child.ts'
import { digest } from './digest.ts'
import { createFiles } from './files.ts'
import type { ProcessOptions } from '../process/port.ts'
import { createSessions } from './sessions.ts'
import { inFrame } from './frame.ts'
import { askLock } from './lock.ts'
import { Names } from './names.ts'
import { never, type Runtime } from './runtime.ts'
import { callProcess } from './process.ts'
import { sleep } from './sleep.ts'
import { outsideSteps, runStep } from './step.ts'

/** The context that a flow's function is given. */
export function createContext(runtime: Runtime): FlowContext {
  const { run, attempt } = runtime.deps
  const context = {
    fid: run.fid,
    attempt,
    user: run.user,
    signal: runtime.signal,
    log: createLog(runtime),
    files: createFiles(runtime),
    sessions: createSessions(runtime),
    ...waits(runtime),
    ...values,
    ...emissions(runtime),
    ...chance(runtime),
  }
  // Overloads of the public type are wider than one implementation can say.
  return Object.freeze(context) as FlowContext
}

type Work<I extends unknown[] = []> = (...args: I) => unknown

function waits(runtime: Runtime): object {
  return {
    step: (name: string, ...rest: [Work<[StepInfo]>] | [StepOptions, Work<[StepInfo]>]) => {
      const { options, work } = split<StepOptions, Work<[StepInfo]>>('step', name, rest)
      return quiet(runStep(runtime, name, options, work))
    },
    group: (name: string, ...rest: [Work] | [{ readonly key?: string | number }, Work]) => {
      const { options, work } = split<{ readonly key?: string | number }, Work>('group', name, rest)
      return quiet(runGroup(runtime, name, options.key, work))
    },
    process: (name: string, options: ProcessOptions) => quiet(callProcess(runtime, name, options)),
    sleep: (span: Parameters<FlowContext['sleep']>[0]) => quiet(sleep(runtime, span)),
    lock: (name: string, options: LockOptions<unknown> = {}) => quiet(askLock(runtime, name, options)),
    start: (flow: FlowName, inputs: unknown, options: { readonly key?: string | number } = {}) => quiet(startChild(runtime, flow, inputs, options.key)),
    wait: (children: ChildRun | readonly ChildRun[]) => quiet(waitForChildren(runtime, children)),
  }
}

// A call that nobody awaits and that fails must not end the process as an unhandled rejection: its failure is in the timeline.
function quiet<T>(call: Promise<T>): Promise<T> {
  call.catch(() => undefined)
  return call
}

function split<O extends object, W>(what: string, name: string, rest: readonly unknown[]): { readonly options: O; readonly work: W } {
  const work = rest.at(-1)
  if (typeof work !== 'function') {
    throw new RefusedError(`ctx.${what}(${JSON.stringify(name)}, …) needs a function as its last argument.`, { code: 'bad_call' })
  }
  return { options: (rest.length > 1 ? rest[0] : {}) as O, work: work as W }
}

async function runGroup(runtime: Runtime, name: string, key: string | number | undefined, work: Work): Promise<unknown> {
  const frame = runtime.frame()
  outsideSteps(frame, 'group', name)
  if (runtime.phase === 'closed') return never()
  const claim = frame.names.claim('group', name, key)
  try {
    return await inFrame({ ...frame, names: new Names(`${claim.id}/`) }, async () => work())
  } finally {
    claim.release()
  }
}

const values = {
  markdown: (text: string): TypedValue => ({ type: 'markdown', value: text }),
  html: (text: string): TypedValue => ({ type: 'html', value: text }),
  text: (text: string): TypedValue => ({ type: 'text', value: text }),
  json: (value: unknown): TypedValue => ({ type: 'json', value: jsonOf(value, 'The value of ctx.json') }),
}

function emissions(runtime: Runtime): object {
  const typed = (kind: 'result' | 'agent' | 'warning' | 'debug') => (value: unknown) => runtime.say(kind, typedValue(value, `The value of ctx.${kind}`))
  return {
    result: typed('result'),
    agent: typed('agent'),
    warning: typed('warning'),
    debug: typed('debug'),
    action: (name: string, value?: unknown) =>
      runtime.say('action', { name, ...(value !== undefined && { value: jsonOf(value, `The value of action "${name}"`) }) }),
    progress: (done: number, total: number | null, text?: string) => runtime.say('progress', { done, total, ...(text !== undefined && { text }) }),
    model: (call: ModelCall) => runtime.say('model', modelData(call)),
    tool: (call: ToolCall) => runtime.say('tool', toolData(call)),
    delta: (text: string) => {
      runtime.activity.touch()
      if (runtime.phase !== 'closed') runtime.deltas.add(runtime.frame().step ?? null, text)
    },
  }
}

function modelData(call: ModelCall): EventData['model'] {
  const { provider, model, duration, tokens, cost, text } = call
  const counts = { input_uncached: 0, cache_read: 0, cache_write: 0, output: 0, reasoning: 0, ...tokens }
  return { provider, model, duration_s: duration / 1000, tokens: counts, cost: cost ?? null, ...(text !== undefined && { text }) }
}

function toolData(call: ToolCall): EventData['tool'] {
  const { name, input, output, error, duration } = call
  return {
    name,
    input: jsonOf(input ?? null, `The input of tool "${name}"`),
    ...(output !== undefined && { output: jsonOf(output, `The output of tool "${name}"`) }),
    ...(error !== undefined && { error: errorValue(error) }),
    duration_s: duration / 1000,
  }
}

function createLog(runtime: Runtime): RunLog {
  const line = (kind: Extract<EventKind, 'debug' | 'warning'>) => (text: string) => runtime.say(kind, { type: 'text', value: text })
  return Object.freeze({ debug: line('debug'), info: line('debug'), warn: line('warning'), error: line('warning') })
}

function chance(runtime: Runtime): Pick<FlowContext, 'now' | 'random' | 'uuid'> {
  const inStep = (): boolean => runtime.frame().step !== undefined
  return {
    now: () => (inStep() ? runtime.deps.clock.now() : journaledNow(runtime)),
    random: () => (inStep() ? runtime.deps.random() : Number.parseInt(derived(runtime, '$random').slice(0, 13), 16) / 2 ** 52),
    uuid: () => (inStep() ? runtime.deps.uuid() : asUuid(derived(runtime, '$uuid'))),
  }
}

// The time is journaled as the result of a step that nobody wrote; it rides with the next flush, before anything that depends on it.
function journaledNow(runtime: Runtime): number {
  const { names } = runtime.frame()
  const id = `$${names.path}now#${names.count('$now')}`
  const journaled = runtime.journal.values.get(id)
  if (typeof journaled === 'number') return journaled
  const now = runtime.deps.clock.now()
  runtime.emit('step', { phase: 'finished', id, name: 'now', try: 1, duration_s: 0, result: now })
  return now
}

// Chance is drawn from the run's id and the place of the call, so it needs no event to be the same again.
function derived(runtime: Runtime, kind: string): string {
  const { names } = runtime.frame()
  return digest([runtime.deps.run.fid, names.path, kind, names.count(kind)], 32)
}

function asUuid(hex: string): string {
  assert(hex.length === 32, 'a uuid needs 32 digits')
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
}
