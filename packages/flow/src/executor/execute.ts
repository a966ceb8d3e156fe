import { comparePositions, FencedError, isEnded, ORIGIN, RefusedError, runTraceparent, type Json } from '@koco/core'
import type { ControlRequest } from '@koco/storage'
import { CancelledError, errorValue, NondeterminismError, RunTimeoutError } from '../errors.ts'
import { checkInputs } from '../schema-check.ts'
import { typedValue } from '../value.ts'
import { BudgetGuard } from './budget.ts'
import { childMark } from './child.ts'
import { createContext } from './context.ts'
import { crashLoop, restAfter, whyRest } from './deaths.ts'
import { inFrame } from './frame.ts'
import { readJournal } from './read-journal.ts'
import { never, Runtime } from './runtime.ts'
import type { TryDeps, TryOutcome } from './try.ts'

const CLOSE_MS = 5000

/**
 * One try of one run: seals the epoch before, reads the journal, calls the flow's function and journals what it does, until the run is over, waits for
 * something long, or must stop. Knows nothing of who starts tries and why. Throws UnavailableError when the store or the stream stays away: try again later.
 */
export async function executeTry(deps: TryDeps): Promise<TryOutcome> {
  const runtime = new Runtime(
    deps,
    () => suspendIfIdle(runtime),
    (control) => applyControl(runtime, control),
  )
  runtime.guard = new BudgetGuard(runtime)
  const letGo = (): void => releaseIfQuiet(runtime)
  deps.stop.addEventListener('abort', letGo)
  deps.stopNow.addEventListener('abort', letGo)
  runtime.onWorkDone(letGo)
  try {
    return await Promise.race([runtime.interrupted, attempt(runtime)])
  } finally {
    deps.stop.removeEventListener('abort', letGo)
    deps.stopNow.removeEventListener('abort', letGo)
    runtime.close()
    await deps.producer.close(CLOSE_MS)
  }
}

async function attempt(runtime: Runtime): Promise<TryOutcome> {
  const over = await open(runtime).catch((error: unknown) => {
    // What is wrong with the run itself (a journal or inputs too large) is wrong in each try.
    if (error instanceof RefusedError) return endFailed(runtime, error)
    throw error
  })
  if (over) return over
  const stopTimer = limitWork(runtime)
  try {
    return await callFlow(runtime)
  } finally {
    stopTimer()
  }
}

/** The beginning of the try, up to its status running; an outcome when there is nothing to run. */
async function open(runtime: Runtime): Promise<TryOutcome | undefined> {
  const { deps, journal } = runtime
  const { attempt, reason, owner, lost } = deps
  const beganAt = deps.clock.now() / 1000
  runtime.emit('attempt', { attempt, reason, owner, traceparent: runTraceparent(deps.run.fid), ...(lost && { lost }) })
  const fresh = reason === 'start'
  if (fresh) introduce(runtime)
  const [wanted] = await Promise.all([deps.requests.wanted(), runtime.flush()])
  deps.onBegun?.()
  if (comparePositions(runtime.prev, ORIGIN) > 0) {
    await loadJournal(runtime)
    journal.seal({ reason, ts: beganAt })
    if (journal.status !== null && isEnded(journal.status)) return { outcome: 'ended', status: journal.status }
  }
  if (wanted?.wanted === 'cancel') return endCancelled(runtime, wanted.by, wanted.reason)
  if (wanted?.wanted === 'pause') return pauseAtOnce(runtime, wanted)
  if (journal.deaths > deps.limits.recoveries) return endFailed(runtime, crashLoop(journal))
  if (journal.paused) runtime.emit('resume', { by: wanted?.by ?? deps.run.user })
  if (!fresh) {
    if (journal.hasInputs) runtime.emit('status', { status: 'running' })
    else introduce(runtime)
  }
  const restMs = journal.died ? restAfter(journal.deaths) : 0
  if (restMs > 0) return rest(runtime, restMs)
  runtime.requests.begin(wanted)
  return undefined
}

async function loadJournal(runtime: Runtime): Promise<void> {
  const { run, producer, reader, onCommitted, limits, stop, stopNow } = runtime.deps
  const signal = AbortSignal.any([stop, stopNow, producer.stopped])
  try {
    await readJournal({ fid: run.fid, epoch: producer.epoch, prev: runtime.prev, reader, onCommitted, storedMs: limits.storedMs, signal }, runtime.journal)
  } catch (error) {
    if (producer.stopped.aborted) return never()
    if (!signal.aborted) throw error
    runtime.release()
    return never()
  }
}

function introduce(runtime: Runtime): void {
  const { flow, run } = runtime.deps
  runtime.emit('status', { status: 'starting' })
  runtime.emit('inputs', { inputs: run.inputs })
  const { name, version, summary, tags } = flow
  runtime.emit('meta', { flow: name, version, summary, tags, user: run.user, ...(run.parent !== null && { parent: run.parent }) })
  runtime.emit('status', { status: 'running' })
}

async function callFlow(runtime: Runtime): Promise<TryOutcome> {
  const { flow, run, log } = runtime.deps
  let final
  try {
    const inputs = await checkedInputs(runtime, run.inputs)
    const value = await inFrame(runtime.root, async () => flow.run(inputs, createContext(runtime)))
    if (runtime.phase !== 'closed') await leftovers(runtime)
    if (runtime.phase === 'open') {
      allAsked(runtime)
      final = typedValue(value, `The result of flow "${flow.name}"`)
      runtime.emit('final', final)
    }
  } catch (error) {
    if (runtime.phase === 'closed') return never()
    if (!runtime.unwinding) {
      log('warn', `run ${run.fid} of flow ${flow.name} failed`, error)
      return endFailed(runtime, error)
    }
  }
  if (runtime.phase === 'closed') return never()
  if (runtime.unwinding) return endUnwound(runtime)
  return await end(runtime, () => runtime.emit('status', { status: 'finished' }), { outcome: 'finished', final: final ?? { type: 'json', value: null } })
}

async function checkedInputs(runtime: Runtime, inputs: Json): Promise<unknown> {
  const checked = await checkInputs(runtime.deps.flow, inputs)
  if (checked.ok) return checked.value
  const fields = checked.fields.map(({ path, message }) => `${path === '' ? 'inputs' : path}: ${message}`).join('; ')
  throw new RefusedError(`The run's inputs do not fit flow "${runtime.deps.flow.name}" as it is now: ${fields}`, {
    code: 'invalid_inputs',
    details: checked.fields,
  })
}

// Steps that nobody awaited: they get the grace time, then their signal aborts.
async function leftovers(runtime: Runtime): Promise<void> {
  if (runtime.openSteps.size === 0) return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      off()
      resolve()
    }
    const timer = setTimeout(done, runtime.deps.limits.graceMs)
    const off = runtime.onWorkDone(() => runtime.openSteps.size > 0 || done())
  })
  if (runtime.openSteps.size === 0 || runtime.phase !== 'open') return
  const names = [...runtime.openSteps].join('", "')
  runtime.emit('warning', { type: 'text', value: `The flow returned while step "${names}" was at work, and it was cut off. Await every step.` })
  runtime.abort(new CancelledError('The flow has returned.', { code: 'flow_returned' }))
}

function allAsked(runtime: Runtime): void {
  const { asked, journal } = runtime
  const done = [...[...journal.steps].flatMap(([id, step]) => (step.phase === 'finished' ? [id] : [])), ...[...journal.children.keys()].map(childMark)]
  const forgotten = done.filter((id) => !asked.has(id))
  if (forgotten.length === 0) return
  const of = (ids: readonly string[]): string =>
    ids.length === 0 ? 'none' : `"${ids.slice(0, 10).join('", "')}"${ids.length > 10 ? ` and ${ids.length - 10} more` : ''}`
  throw new NondeterminismError(
    `The journal holds finished steps that the flow did not ask for in this try: ${of(forgotten)}. It asked for ${of([...asked])}. A flow must ask for the same steps in each try: take what changes (time, chance, outside data) from steps.`,
    { code: 'nondeterminism', details: { journaled: forgotten.slice(0, 100), asked: [...asked].slice(0, 100) } },
  )
}

/** Ends the try with these last events; an outcome that came first stands. */
async function end(runtime: Runtime, lastWords: () => void, outcome: TryOutcome): Promise<TryOutcome> {
  if (!runtime.close(lastWords)) return never()
  await runtime.flush()
  return outcome
}

function endFailed(runtime: Runtime, error: unknown): Promise<TryOutcome> {
  const value = errorValue(error)
  const lastWords = (): void => {
    runtime.emit('error', value)
    runtime.emit('status', { status: 'error' })
  }
  return end(runtime, lastWords, { outcome: 'failed', error: value })
}

async function endCancelled(runtime: Runtime, by: string, note: string | null): Promise<TryOutcome> {
  await runtime.deps.children.stop(by, note)
  const lastWords = (): void => {
    runtime.emit('cancel', { by, ...(note !== null && { reason: note }) })
    runtime.emit('status', { status: 'cancelled' })
  }
  return end(runtime, lastWords, { outcome: 'cancelled' })
}

async function endUnwound(runtime: Runtime): Promise<TryOutcome> {
  const { unwinding } = runtime
  if (unwinding?.to === 'cancelled') return endCancelled(runtime, unwinding.by, unwinding.note)
  await runtime.deps.children.stop('koco', 'timed out')
  const lastWords = (): void => {
    runtime.emit('error', errorValue(unwinding?.reason))
    runtime.emit('status', { status: 'timed_out' })
  }
  return end(runtime, lastWords, { outcome: 'timed_out' })
}

async function pauseAtOnce(runtime: Runtime, request: ControlRequest): Promise<TryOutcome> {
  const locks = [...runtime.journal.locks].filter(([, lock]) => lock.lease === undefined).map(([lid]) => lid)
  const lastWords = (): void => sayPaused(runtime, request)
  return end(runtime, lastWords, { outcome: 'suspended', status: 'paused', wakeAt: null, locks })
}

/** Waits, with nobody at work, before it is tried again: what kills its process must not do so as fast as processes come. */
function rest(runtime: Runtime, restMs: number): Promise<TryOutcome> {
  const { journal, deps } = runtime
  const until = (deps.clock.now() + restMs) / 1000
  const lastWords = (): void => runtime.emit('status', { status: 'awaiting', until, reason: whyRest(journal, restMs), deaths: journal.deaths })
  return end(runtime, lastWords, { outcome: 'suspended', status: 'awaiting', wakeAt: until, locks: [] })
}

function sayPaused(runtime: Runtime, request: ControlRequest): void {
  if (!runtime.journal.paused) runtime.emit('pause', { by: request.by, ...(request.reason !== null && { reason: request.reason }) })
  runtime.emit('status', { status: 'paused' })
}

/** Suspends a try in which nothing but waits is left: paused when that is asked for, awaiting when no wait ends soon. */
function suspendIfIdle(runtime: Runtime): void {
  const { activity, deps, pausing } = runtime
  if (runtime.phase !== 'open' || activity.working) return
  const locks = activity.waits.filter(({ kind }) => kind === 'lock').map(({ id }) => id)
  if (pausing) {
    void runtime.interrupt({ outcome: 'suspended', status: 'paused', wakeAt: null, locks }, () => sayPaused(runtime, pausing))
    return
  }
  const wake = activity.nextWake()
  // It is looked at again after the same time. A try that went while the store was slow would leave an answer to nobody.
  if (runtime.requests.behind) return
  if (activity.held || (wake !== null && wake - deps.clock.now() <= deps.limits.idleMs)) return
  const wakeAt = wake === null ? null : wake / 1000
  const children = activity.waits.flatMap((wait) => (wait.children ? [wait.children] : []))
  const outcome = { outcome: 'suspended', status: 'awaiting', wakeAt, locks, ...(children.length > 0 && { children }) } as const
  void runtime.interrupt(outcome, () => runtime.emit('status', { status: 'awaiting', until: wakeAt }))
}

function applyControl(runtime: Runtime, control: ControlRequest | undefined): void {
  if (runtime.phase !== 'open') return
  if (control?.wanted === 'cancel') {
    const reason = new CancelledError(`The run was cancelled by ${control.by}${control.reason === null ? '' : `: ${control.reason}`}.`, { code: 'cancelled' })
    unwind(runtime, { to: 'cancelled', reason, by: control.by, note: control.reason })
  } else runtime.pause(control?.wanted === 'pause' ? control : undefined)
}

function unwind(runtime: Runtime, unwinding: NonNullable<Runtime['unwinding']>): void {
  runtime.unwind(unwinding)
  const { by, note, to } = unwinding
  // The children hear of it at once; the end of the run waits until they have, and meets what fails here.
  void runtime.deps.children.stop(by, to === 'timed_out' ? 'timed out' : note).catch(() => undefined)
  const timer = setTimeout(() => {
    runtime.settle(endUnwound(runtime))
  }, runtime.deps.limits.graceMs)
  runtime.onClose(() => clearTimeout(timer))
}

/** Lets go of the run when this process must stop: at a step border, or at once. */
function releaseIfQuiet(runtime: Runtime): void {
  const { stop, stopNow } = runtime.deps
  if (!(stop.aborted || stopNow.aborted) || runtime.phase !== 'open') return
  const now = stopNow.aborted
  if (!now && runtime.activity.working) return
  runtime.release(now ? new FencedError('The process stops; the run continues elsewhere.', { code: 'released' }) : undefined)
}

function limitWork(runtime: Runtime): () => void {
  const { flow, clock } = runtime.deps
  if (flow.timeoutMs === null) return () => undefined
  const limitMs = flow.timeoutMs
  const began = clock.now()
  const leftMs = (): number => limitMs - runtime.journal.workedS * 1000 - (clock.now() - began - runtime.activity.restedMs())
  const check = (): void => {
    if (leftMs() > 0) timer = setTimeout(check, Math.min(leftMs() + 1, 2 ** 31 - 1))
    else {
      const reason = new RunTimeoutError(`The run has worked longer than its limit of ${limitMs} ms.`, { code: 'run_timeout' })
      unwind(runtime, { to: 'timed_out', reason, by: 'koco', note: null })
    }
  }
  let timer = setTimeout(check, Math.max(0, Math.min(leftMs() + 1, 2 ** 31 - 1)))
  return () => clearTimeout(timer)
}
