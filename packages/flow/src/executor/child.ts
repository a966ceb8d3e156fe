import { parseJson, RefusedError, UnavailableError, type Json, type TypedValue } from '@koco/core'
import type { ChildStart } from '../children/child-runs.ts'
import type { ChildRun, FlowName } from '../context.ts'
import { ChildRunError, NondeterminismError } from '../errors.ts'
import { isFlow } from '../flow.ts'
import { jsonOf } from '../value.ts'
import { digest, inputHash } from './digest.ts'
import { never, type Runtime } from './runtime.ts'
import { border, outsideSteps } from './step.ts'

/** A launcher that is full or away is asked again after this, then ever later: a run that waits so long holds no place that its children need. */
const AGAIN_MS = { first: 250, most: 30_000 }

/** One call of `ctx.start`: the journaled child, or one started now. */
export async function startChild(runtime: Runtime, flow: FlowName, inputs: unknown, key: string | number | undefined): Promise<ChildRun> {
  const name = nameOf(flow)
  const frame = runtime.frame()
  outsideSteps(frame, 'child run', name)
  if (runtime.phase === 'closed') return never()
  const claim = frame.names.claim('child run', name, key)
  try {
    const json = jsonOf(inputs, `The inputs of child run "${name}"`)
    const child: ChildRun = { fid: childFid(runtime.deps.run.fid, claim.id), flow: name, id: claim.id }
    const input = inputHash(json, `The inputs of child run "${name}"`)
    runtime.asked.add(childMark(child.id))
    const journaled = runtime.journal.children.get(child.id)
    if (journaled) sameInput(child, input, journaled.input)
    else await begin(runtime, { child, input, start: { fid: child.fid, flow: name, inputs: json, definition: isFlow(flow) ? flow : undefined } })
    return Object.freeze(child)
  } finally {
    claim.release()
  }
}

/** How a child is named among the things that a try has asked for. */
export function childMark(id: string): string {
  return `child run ${id}`
}

/** One call of `ctx.wait`: the results of all of them, in their order, or of the only one; ChildRunError of the first of them that ended badly. */
export async function waitForChildren(runtime: Runtime, asked: ChildRun | readonly ChildRun[]): Promise<Json | Json[]> {
  const children = Array.isArray(asked) ? (asked as readonly ChildRun[]) : [asked as ChildRun]
  for (const child of children) checkOwn(runtime, child)
  outsideSteps(runtime.frame(), 'wait for child run', children[0]?.id ?? '')
  if (runtime.phase === 'closed') return never()
  runtime.activity.touch()
  const missing = children.filter(({ id }) => !runtime.journal.children.get(id)?.end)
  if (missing.length > 0) await untilEnded(runtime, missing)
  const results = children.map((child) => resultOf(runtime, child))
  return Array.isArray(asked) ? results : (results[0] ?? null)
}

function nameOf(flow: FlowName): string {
  if (typeof flow === 'string') return flow
  if (isFlow(flow)) return flow.name
  throw new RefusedError('ctx.start(flow, inputs) takes a flow of defineFlow, or the name of one.', { code: 'bad_call' })
}

// From what is the same in every try, so that nothing is started twice; the first digits are those of the parent: the second of its own start.
function childFid(parent: string, id: string): string {
  return parent.slice(0, 8) + digest([parent, 'child', id], 16)
}

function sameInput({ id, fid }: ChildRun, asked: string, journaled: string): void {
  if (asked === journaled) return
  throw new NondeterminismError(
    `Child run "${id}" (${fid}) was started with inputs ${journaled} and is now asked for with inputs ${asked} (hashes). The flow must give the same in each try: take what changes from a step.`,
    { code: 'nondeterminism', details: { child: id, journaled, asked } },
  )
}

type Begin = { readonly child: ChildRun; readonly input: string; readonly start: ChildStart }

async function begin(runtime: Runtime, { child, input, start }: Begin): Promise<void> {
  const { deps, journal } = runtime
  if (journal.children.size >= deps.limits.children) {
    throw new RefusedError(`The run has started ${deps.limits.children} children, the limit. Let children start children of their own.`, {
      code: 'too_many_children',
    })
  }
  for (let againMs = AGAIN_MS.first; ; againMs = Math.min(againMs * 2, AGAIN_MS.most)) {
    await border(runtime)
    if (await started(runtime, start)) break
    await runtime.until({ kind: 'retry', id: child.id, until: deps.clock.now() + againMs })
  }
  if (runtime.phase === 'closed') return never()
  runtime.emit('child', { phase: 'started', ...child, input })
  journal.startChild(child.id, input)
  if (runtime.unwinding) throw runtime.unwinding.reason
  return undefined
}

async function started(runtime: Runtime, start: ChildStart): Promise<boolean> {
  const end = runtime.begin()
  try {
    await runtime.deps.children.start(start)
    return true
  } catch (error) {
    if (error instanceof UnavailableError) return false
    throw error
  } finally {
    end()
  }
}

function checkOwn(runtime: Runtime, child: ChildRun): void {
  if (typeof child?.id === 'string' && child.fid === childFid(runtime.deps.run.fid, child.id)) return
  throw new RefusedError(`ctx.wait takes what ctx.start of this run gave, not ${JSON.stringify(child)}.`, { code: 'bad_call' })
}

async function untilEnded(runtime: Runtime, children: readonly ChildRun[]): Promise<void> {
  const fids = children.map(({ fid }) => fid)
  const error = await runtime.pending<unknown>(
    () => runtime.activity.wait({ kind: 'child', id: fids[0] ?? '', until: null, children: fids }),
    (resolve) => runtime.children.expect(children, resolve),
  )
  if (error !== undefined) throw error
}

function resultOf(runtime: Runtime, child: ChildRun): Json {
  const end = runtime.journal.children.get(child.id)?.end
  if (end?.status === 'finished') return returned(parseJson(end.result) as unknown as TypedValue)
  throw new ChildRunError(child, end?.status ?? 'error', end?.error ?? { name: 'Error', message: 'its end is not known' })
}

/** What the child's function returned, as JSON carries it: the inverse of `typedValue`. */
function returned(final: TypedValue): Json {
  return final.type === 'json' || final.type === 'text' ? final.value : { ...final }
}
