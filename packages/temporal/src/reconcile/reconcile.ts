import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatPosition, isEnded, must, UnavailableError, type RunState } from '@koco/core'
import { finaliseRun, stopChildren, type RunEnd } from '@koco/flow'
import type { ExecutionStore, RunSummary } from '@koco/storage'
import { openProducer } from '../activities/open-producer.ts'
import type { Reconciled, ReconcileDeps, RoundOptions } from './round.ts'
import { lookAtOpen } from './still-open.ts'
import { isBehind, judge, type Evidence } from './true-end.ts'
import { knowsAny, openWorkflows, workflowState } from './workflow-state.ts'

const PAGE = 500
const AT_ONCE = 8
/** A try hears within seconds that its workflow was closed; its last events are stored soon after. */
const SETTLE_MS = 10_000
const SETTLE_LOOK_MS = 100
const WRITE_MS = 30_000

/**
 * Compares store, streams and Temporal once. What Temporal has closed, lost or never had gets its true end, as events of a later epoch; a workflow whose run is over is told so, and one that has no run is
 * woken, so that it finds that out. UnavailableError when one of the three does not answer.
 */
export async function reconcile(deps: ReconcileDeps, options: RoundOptions): Promise<readonly Reconciled[]> {
  const open = await openWorkflows(deps.server)
  const seen = new Set<string>()
  const done: Reconciled[] = []
  const suspects: RunSummary[] = []
  for await (const run of unfinished(deps.store)) {
    seen.add(workflowId(deps, run.fid))
    if (!open.has(workflowId(deps, run.fid))) suspects.push(run)
  }
  await inLanes(suspects, options.signal, async (run) => done.push(...(await lookAt(deps, run, options))))
  const prefix = deps.server.settings.workflowIdPrefix
  const others = [...open].filter(([id]) => !seen.has(id) && id.startsWith(prefix)).map(([id, startedAt]) => ({ id, fid: id.slice(prefix.length), startedAt }))
  await inLanes(others, options.signal, async (workflow) => done.push(...(await lookAtOpen(deps, workflow, options))))
  return done
}

/** A run that the store counts as unfinished and that is not among the open workflows: Temporal is asked for it by name. */
async function lookAt(deps: ReconcileDeps, run: RunSummary, { youngMs, careful, signal }: RoundOptions): Promise<Reconciled[]> {
  const { server, store } = deps
  const { found, end } = judge(await evidence(deps, run, youngMs))
  if (found === 'live' || found === 'young') return []
  const about = { fid: run.fid, flow: run.flow, found }
  if (end === null) return [{ ...about, did: 'left', note: `its end waits in the stream (store ${formatPosition(run.lastPosition)}): is a spooler running?` }]
  if (found === 'lost' && careful && !(await knowsAny(server))) {
    const { address, namespace } = server.settings
    return [
      {
        ...about,
        did: 'left',
        note: `Temporal at ${address}, namespace "${namespace}", knows no run at all: is it the right one? koco doctor --reconcile ends what is lost`,
      },
    ]
  }
  // It may have come to its end, or begun anew, since the list was read.
  const now = must(await store.runs.get(run.fid), 'an unfinished run')
  if (isEnded(now.status)) return []
  try {
    const outcome = await writeEnd(deps, now, end, AbortSignal.any([signal, AbortSignal.timeout(WRITE_MS)]))
    return [{ ...about, did: 'ended', note: outcome === 'ended' ? 'its own end was found' : `${end.status}: ${said(end)}` }]
  } catch (error) {
    if (!(error instanceof UnavailableError || (error instanceof DOMException && error.name === 'TimeoutError'))) throw error
    return [{ ...about, did: 'left', note: error.message }]
  }
}

/** What is known of a run. A workflow that was closed a moment ago may have a try that does not know it yet, and events that are not stored yet: they are waited for. */
async function evidence(deps: ReconcileDeps, run: RunSummary, youngMs: number): Promise<Evidence> {
  const { server, store, transport, clock } = deps
  const workflow = await workflowState(server, workflowId(deps, run.fid))
  for (;;) {
    const top = await transport.streams.top(run.fid)
    const nowMs = clock.now()
    const now = (await store.runs.get(run.fid)) ?? run
    if (workflow.is !== 'closed' || nowMs - workflow.closedAt > SETTLE_MS || !isBehind({ run: now, top })) return { run: now, top, workflow, nowMs, youngMs }
    await sleep(SETTLE_LOOK_MS)
  }
}

function said(end: RunEnd): string {
  return end.status === 'cancelled' ? `by ${end.by}, ${end.reason ?? 'without a reason'}` : end.error.message
}

/** Writes the end in an epoch above whatever store and stream have: it fences a try that may be left. */
async function writeEnd(deps: ReconcileDeps, run: RunState, end: RunEnd, signal: AbortSignal): Promise<'written' | 'ended'> {
  const { store, transport, launcher, news, clock } = deps
  const top = await transport.streams.top(run.fid)
  const epoch = Math.max(await store.runs.nextEpoch(run.fid, clock.now()), (top?.epoch ?? 0) + 1)
  const asked = end.status === 'cancelled' ? await store.runs.wanted(run.fid) : undefined
  return finaliseRun({
    fid: run.fid,
    end: asked?.wanted === 'cancel' ? { status: 'cancelled', by: asked.by, reason: asked.reason } : end,
    producer: openProducer(deps, run, epoch),
    reader: store.reader,
    onCommitted: (listener) => news.onCommitted(run.fid, listener),
    clock,
    attempt: run.attempt,
    owner: `${hostname()}/${process.pid}/reconciler`,
    signal,
    stopChildren: (by, reason) => stopChildren(store, launcher, { fid: run.fid, by, reason }),
  })
}

async function* unfinished({ runs }: Pick<ExecutionStore, 'runs'>): AsyncGenerator<RunSummary> {
  let after: string | null = null
  for (;;) {
    const page: readonly RunSummary[] = await runs.unfinished('temporal', after, PAGE)
    yield* page
    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    after = last.fid
  }
}

function workflowId({ server }: ReconcileDeps, fid: string): string {
  return `${server.settings.workflowIdPrefix}${fid}`
}

async function inLanes<T>(items: readonly T[], signal: AbortSignal, work: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values()
  const lane = async (): Promise<void> => {
    for (const item of left) {
      if (signal.aborted) return
      await work(item)
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, lane))
}
