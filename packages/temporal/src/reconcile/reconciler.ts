import { UnavailableError } from '@koco/core'
import { systemClock, type Clock, type Launcher } from '@koco/flow'
import type { ExecutionStore } from '@koco/storage'
import type { Transport } from '@koco/transport'
import { RunNews } from '../activities/run-news.ts'
import type { TemporalServer } from '../client/server.ts'
import type { Log } from '../log.ts'
import { reconcile } from './reconcile.ts'
import type { Reconciled, ReconcileDeps } from './round.ts'

/** What a reconciler needs. It opens none of it, and closes none. */
export type ReconcilerOptions = {
  readonly server: TemporalServer
  readonly store: ExecutionStore
  readonly transport: Pick<Transport, 'streams' | 'signals'>
  readonly launcher: Pick<Launcher, 'cancel'>
  /** Between two rounds, in ms; default a minute. */
  readonly everyMs?: number
  /** A run that Temporal does not know counts as never started from this age on, in ms; default two minutes. */
  readonly youngMs?: number
  /** Default: the machine's. */
  readonly clock?: Clock
  readonly log?: Log
}

const EVERY_MS = 60_000
const YOUNG_MS = 120_000
/** The one reconciler of an installation holds this of the store; the others look whether it has become free. */
const EXCLUSIVE = 'reconciler'

/** Compares store, streams and Temporal now, whoever else does; the person who asks sees what came of it. */
export async function reconcileNow(options: ReconcilerOptions): Promise<readonly Reconciled[]> {
  const news = new RunNews()
  await news.open(options.transport.signals)
  try {
    return await reconcile(depsOf(options, news), {
      youngMs: options.youngMs ?? YOUNG_MS,
      careful: false,
      woken: new Set(),
      signal: new AbortController().signal,
    })
  } finally {
    news.close()
  }
}

/** Compares them again and again, in one process of the installation at a time. The first round comes after one interval. */
export function startReconciler(options: ReconcilerOptions): { close(): Promise<void> } {
  const { store, log = () => undefined, everyMs = EVERY_MS, youngMs = YOUNG_MS } = options
  const stop = new AbortController()
  const news = new RunNews()
  const woken = new Set<string>()
  let opened = false
  let giveBack: (() => Promise<void>) | undefined
  let working: Promise<void> = Promise.resolve()
  const round = async (): Promise<void> => {
    giveBack ??= await store.exclusive(EXCLUSIVE)
    if (giveBack === undefined) return
    if (!opened) await news.open(options.transport.signals)
    opened = true
    const done = await reconcile(depsOf(options, news), { youngMs, careful: true, woken, signal: stop.signal })
    for (const { fid, found, did, note } of done) log(did === 'left' ? 'info' : 'warn', `run ${fid} (${found}): ${note}`)
  }
  const timer = setInterval(() => {
    working = working.then(round).catch((error: unknown) => {
      if (!stop.signal.aborted)
        log(error instanceof UnavailableError ? 'warn' : 'error', 'runs could not be compared with Temporal; they are again in a minute', error)
    })
  }, everyMs)
  return {
    async close() {
      clearInterval(timer)
      stop.abort()
      await working
      news.close()
      await giveBack?.()
    },
  }
}

function depsOf({ server, store, transport, launcher, clock = systemClock, log = () => undefined }: ReconcilerOptions, news: RunNews): ReconcileDeps {
  return { server, store, transport, launcher, news, clock, log }
}
