import { parseJson, RefusedError, type ErrorValue } from '@koco/core'
import type { Kept } from '../contents/port.ts'
import type { Retries, StepInfo, StepOptions } from '../context.ts'
import { durationMs } from '../duration.ts'
import { errorValue, NondeterminismError, StepError, StepTimeoutError } from '../errors.ts'
import { jsonText } from '../value.ts'
import { inputHash } from './digest.ts'
import { idempotencyKey } from './idempotency-key.ts'
import { inFrame, type Frame } from './frame.ts'
import type { JournaledStep } from './journal.ts'
import { keepResult, readResult } from './results.ts'
import { never, type Runtime } from './runtime.ts'

/** A step that is being asked for. */
type Asked = {
  readonly id: string
  readonly name: string
  readonly input: string | undefined
  readonly options: StepOptions
  readonly timeoutMs: number | undefined
  readonly frame: Frame
  readonly work: (info: StepInfo) => unknown
}

const RETRIES_MAX = 1000

/** One call of `ctx.step`: the journaled result, or the work done now, journaled before it is handed on. */
export async function runStep(runtime: Runtime, name: string, options: StepOptions, work: (info: StepInfo) => unknown): Promise<unknown> {
  const frame = runtime.frame()
  outsideSteps(frame, 'step', name)
  if (runtime.phase === 'closed') return never()
  const claim = frame.names.claim('step', name, options.key)
  try {
    const input = options.input === undefined ? undefined : inputHash(options.input, `The input of step "${name}"`)
    const timeoutMs = options.timeout === undefined ? undefined : durationMs(options.timeout, `timeout of step "${name}"`)
    const asked: Asked = { id: claim.id, name, input, options, timeoutMs, frame: { ...frame, step: claim.id }, work }
    runtime.asked.add(claim.id)
    const journaled = runtime.journal.steps.get(claim.id)
    if (journaled) sameInput(asked, journaled)
    if (journaled?.phase === 'finished') return await journaledResult(runtime, claim.id, journaled)
    return await runtime.openStep(claim.id, () => runTries(runtime, asked, journaled))
  } finally {
    claim.release()
  }
}

/** Refuses what must stand outside of steps: a step is journaled as a whole. */
export function outsideSteps(frame: Frame, what: string, name: string): void {
  if (frame.step === undefined) return
  throw new RefusedError(
    `The ${what} "${name}" is asked for inside step "${frame.step}". A step cannot hold steps, groups, locks, sleeps or child runs: put them after it.`,
    {
      code: 'inside_step',
    },
  )
}

async function journaledResult(runtime: Runtime, id: string, { result, content }: Extract<JournaledStep, { phase: 'finished' }>): Promise<unknown> {
  runtime.activity.touch()
  if (content) return parseJson(await readResult(runtime, id, content))
  return result === undefined ? undefined : parseJson(result)
}

function sameInput(asked: Asked, journaled: JournaledStep): void {
  if (asked.input === journaled.input) return
  throw new NondeterminismError(
    `Step "${asked.id}" was journaled with input ${journaled.input ?? 'none'} and is now asked for with input ${asked.input ?? 'none'} (hashes). The flow must give the same in each try: take what changes from a step.`,
    { code: 'nondeterminism', details: { step: asked.id, journaled: journaled.input ?? null, asked: asked.input ?? null } },
  )
}

async function runTries(runtime: Runtime, asked: Asked, journaled: JournaledStep | undefined): Promise<unknown> {
  let failed = journaled?.phase === 'failed' ? journaled : undefined
  for (;;) {
    if (failed && failed.retryAt === null) throw new StepError(asked.id, failed.error)
    if (failed?.retryAt) await runtime.until({ kind: 'retry', id: asked.id, until: failed.retryAt * 1000 })
    await border(runtime)
    const slot = await runtime.slots.take()
    const end = runtime.begin()
    try {
      const done = await oneTry(runtime, asked, (failed?.try ?? 0) + 1)
      if (!('failed' in done)) return done.result
      failed = done.failed
    } finally {
      slot()
      end()
    }
  }
}

/** Where a run may be held: nothing of the caller is at work here. Goes on, waits for a resume or for more budget, or throws when the run unwinds. */
export async function border(runtime: Runtime): Promise<void> {
  await unheld(runtime)
  const within = runtime.guard.pass()
  if (within === undefined) return
  await within
  await unheld(runtime)
}

async function unheld(runtime: Runtime): Promise<void> {
  while (runtime.holding) await runtime.hold()
  if (runtime.phase === 'closed') return never()
  if (runtime.unwinding) throw runtime.unwinding.reason
  return undefined
}

type Done = { readonly result: unknown } | { readonly failed: Extract<JournaledStep, { phase: 'failed' }> }

async function oneTry(runtime: Runtime, asked: Asked, tryNumber: number): Promise<Done> {
  const { id, name, input } = asked
  const common = { id, name, try: tryNumber, ...(input !== undefined && { input }) }
  const began = performance.now()
  const durationS = (): number => Math.round((performance.now() - began) * 1000) / 1_000_000
  runtime.emit('step', { phase: 'started', ...common }, id)
  let result: unknown
  let kept: Kept | undefined
  try {
    const value = await withTimeout(runtime, asked, tryNumber)
    const text = value === undefined ? undefined : jsonText(value, `The result of step "${id}"`)
    const duration = durationS()
    kept = text === undefined ? undefined : await keepResult(runtime, id, text)
    result = text === undefined ? undefined : parseJson(text)
    const json = text === undefined || kept ? null : parseJson(text)
    const more = { ...(text === undefined && { undefined: true as const }), ...(kept && { content: kept.content }) }
    runtime.emit('step', { phase: 'finished', ...common, duration_s: duration, result: json, ...more }, id)
  } catch (error) {
    if (runtime.phase === 'closed') return never()
    return await failTry(runtime, asked, { ...common, duration_s: durationS() }, error)
  }
  await runtime.flush()
  kept?.named()
  return { result }
}

async function failTry(
  runtime: Runtime,
  asked: Asked,
  common: { readonly id: string; readonly name: string; readonly try: number; readonly duration_s: number },
  error: unknown,
): Promise<Done> {
  const value: ErrorValue = errorValue(error)
  const delayMs = retryDelay(runtime, asked, common.try, error)
  const retryAt = delayMs === undefined ? null : (runtime.deps.clock.now() + delayMs) / 1000
  runtime.emit('step', { phase: 'failed', ...common, error: value, retry_at: retryAt }, asked.id)
  if (retryAt !== null) return { failed: { phase: 'failed', input: asked.input, try: common.try, error: value, retryAt } }
  await runtime.flush()
  throw new StepError(asked.id, value, error)
}

// What the flow's author did wrong fails the same way each time.
function retryDelay(runtime: Runtime, asked: Asked, tryNumber: number, error: unknown): number | undefined {
  const { retries } = asked.options
  if (retries === undefined || runtime.unwinding || error instanceof RefusedError) return undefined
  const { max, delay, factor, maxDelay, when }: Retries = typeof retries === 'number' ? { max: retries } : retries
  if (tryNumber > Math.min(max, RETRIES_MAX) || when?.(error) === false) return undefined
  const first = durationMs(delay ?? 1000, `retry delay of step "${asked.name}"`)
  const most = durationMs(maxDelay ?? 60_000, `longest retry delay of step "${asked.name}"`)
  return Math.min(most, first * (factor ?? 2) ** (tryNumber - 1))
}

function withTimeout(runtime: Runtime, asked: Asked, tryNumber: number): Promise<unknown> {
  if (asked.timeoutMs === undefined) return work(runtime, asked, tryNumber, runtime.signal)
  const { timeoutMs } = asked
  const controller = new AbortController()
  const forward = (): void => controller.abort(runtime.signal.reason)
  if (runtime.signal.aborted) forward()
  runtime.signal.addEventListener('abort', forward)
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const error = new StepTimeoutError(`Step "${asked.id}" took longer than its timeout of ${timeoutMs} ms.`, { code: 'step_timeout' })
    controller.abort(error)
    reject(error)
  }, timeoutMs)
  return Promise.race([work(runtime, asked, tryNumber, controller.signal), promise]).finally(() => {
    clearTimeout(timer)
    runtime.signal.removeEventListener('abort', forward)
  })
}

// async: what the author's function throws at once becomes a rejection too.
async function work(runtime: Runtime, asked: Asked, tryNumber: number, signal: AbortSignal): Promise<unknown> {
  const info: StepInfo = {
    signal,
    try: tryNumber,
    get idempotencyKey() {
      return idempotencyKey(runtime.deps.run.fid, asked.id)
    },
  }
  return await inFrame(asked.frame, () => asked.work(info))
}
