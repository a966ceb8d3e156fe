import { isEnded, RefusedError, type RunState } from '@koco/core'
import type { ChildSummary, ExecutionStore } from '@koco/storage'
import type { Launcher } from '../launcher.ts'
import type { ChildEnd, ChildRuns, ChildStart } from './child-runs.ts'

/** What the children of a run are reached by. `parent` is the run's own parent. */
export type StoredChildren = {
  readonly store: Pick<ExecutionStore, 'runs'>
  readonly launcher: Pick<Launcher, 'start' | 'retry' | 'cancel'>
  readonly onEnded: ChildRuns['onEnded']
  readonly run: { readonly fid: string; readonly user: string; readonly parent: string | null }
}

/** A flow that starts itself without end is stopped here. */
const DEPTH_MAX = 20
const PAGE = 500
const AT_ONCE = 16

/** The children of a run by the store and a launcher. */
export function storedChildren({ store, launcher, onEnded, run }: StoredChildren): ChildRuns {
  let depth: Promise<number> | undefined
  return {
    onEnded,
    async start(child) {
      depth ??= depthOf(store, run.parent)
      if ((await depth) >= DEPTH_MAX) throw tooDeep(run.fid, child)
      const { fid, flow, inputs } = child
      await launcher.start({ fid, flow, inputs, user: run.user, idempotencyKey: null, parent: run.fid })
      // Whoever cancels the parent asks it first and its children then; so one of the two sees the other.
      const wanted = await store.runs.wanted(run.fid)
      if (wanted?.wanted === 'cancel') await launcher.cancel(fid, wanted.by, wanted.reason ?? undefined)
    },
    async ended(fids) {
      const asked = new Set(fids)
      const over: string[] = []
      for await (const child of childrenOf(store, run.fid)) if (asked.has(child.fid) && isEnded(child.status)) over.push(child.fid)
      return (await inTurn(over, (fid) => store.runs.get(fid))).flatMap((child) => (child ? (endOf(child) ?? []) : []))
    },
    async retry(fid) {
      await launcher.retry(fid, run.user)
    },
    stop: (by, reason) => stopChildren(store, launcher, { fid: run.fid, by, reason }),
  }
}

/** Cancels the live children of a run, and they theirs. All have been asked when this resolves. */
export async function stopChildren(
  store: Pick<ExecutionStore, 'runs'>,
  launcher: Pick<Launcher, 'cancel'>,
  { fid, by, reason }: { readonly fid: string; readonly by: string; readonly reason: string | null },
): Promise<void> {
  const live: string[] = []
  for await (const child of childrenOf(store, fid)) if (!isEnded(child.status)) live.push(child.fid)
  const why = `its parent ${fid} was stopped${reason === null ? '' : `: ${reason}`}`
  await inTurn(live, (child) => launcher.cancel(child, by, why))
}

/** The children of a run as the store has them. */
export async function* childrenOf(store: Pick<ExecutionStore, 'runs'>, fid: string): AsyncGenerator<ChildSummary> {
  let after: string | null = null
  for (;;) {
    const page: readonly ChildSummary[] = await store.runs.children(fid, after, PAGE)
    yield* page
    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    after = last.fid
  }
}

function endOf(run: RunState): ChildEnd | undefined {
  const { fid, status, final, error } = run
  const at = run.finishedAt ?? 0
  if (status === 'finished') return { fid, at, status, result: final ?? { type: 'json', value: null } }
  if (!isEnded(status)) return undefined
  return { fid, at, status, error: error ?? { name: 'Error', message: `it was ${status === 'timed_out' ? 'timed out' : status}` } }
}

async function depthOf(store: Pick<ExecutionStore, 'runs'>, parent: string | null): Promise<number> {
  let depth = 0
  for (let fid = parent; fid !== null && depth < DEPTH_MAX; depth += 1) fid = (await store.runs.get(fid))?.parent ?? null
  return depth
}

function tooDeep(fid: string, { flow }: ChildStart): RefusedError {
  return new RefusedError(
    `Run ${fid} stands ${DEPTH_MAX} deep among runs that started each other; it cannot start flow "${flow}". Does a flow start itself without end?`,
    {
      code: 'too_deep',
    },
  )
}

async function inTurn<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const left = items.entries()
  const work = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await act(item)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, work))
  return results
}
