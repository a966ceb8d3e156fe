import type { ExecutionStore } from '../port/execution-store.ts'
import type { SnapshotFolder } from './files.ts'
import { headOf, takeSnapshot } from './take.ts'

/**
 * When to make a snapshot: after `events` new events or `everyMs`, whichever comes first, and none when nothing happened; the first as soon as there are events. `keep`: so many periodic ones stay. `clock`: unix ms.
 */
export type SnapshotPolicy = { readonly events: number; readonly everyMs: number; readonly keep: number }

type Parts = {
  readonly store: Pick<ExecutionStore, 'keeper' | 'exclusive'>
  readonly folder: SnapshotFolder
  readonly clock: () => number
  readonly log: { info(details: object, message: string): void; warn(details: object, message: string): void }
}

const LOOK_MS = 2_000
/** Counting the events of very many runs takes its time: at most a hundredth of it goes there. */
const LOOK_REST_FACTOR = 100
/** At most a twentieth of the time goes into snapshots: the larger the store, the rarer they are. */
const REST_FACTOR = 20

/** Decides, from look to look, whether a snapshot is due. Pure but for what it remembers. */
export class SnapshotClock {
  readonly #policy: SnapshotPolicy
  #last: { readonly events: number; readonly at: number } | null
  #restUntil = 0

  constructor(policy: SnapshotPolicy, last: { readonly events: number; readonly at: number } | null) {
    this.#policy = policy
    this.#last = last
  }

  isDue(events: number, nowMs: number): boolean {
    if (events === 0 || nowMs < this.#restUntil || events === this.#last?.events) return false
    if (!this.#last) return true
    return Math.abs(events - this.#last.events) >= this.#policy.events || nowMs - this.#last.at >= this.#policy.everyMs
  }

  /** One was made that stands for so many events, and took so long. */
  made(events: number, nowMs: number, tookMs: number): void {
    this.#last = { events, at: nowMs }
    this.#restUntil = nowMs + tookMs * REST_FACTOR
  }
}

/** Makes snapshots by policy while the process lives; of several processes over one store one does. Gives the function that ends it and resolves when nothing is under way. */
export function keepSnapshots(parts: Parts, policy: SnapshotPolicy): () => Promise<void> {
  const stop = new AbortController()
  let clock: SnapshotClock | undefined
  let giveBack: (() => Promise<void>) | undefined
  let working: Promise<void> = Promise.resolve()
  let nextLook = 0
  const look = async (): Promise<void> => {
    giveBack ??= await parts.store.exclusive('snapshots')
    if (!giveBack) return
    clock ??= await startClock(parts, policy)
    if (performance.now() < nextLook) return
    const lookedAt = performance.now()
    const { events } = await parts.store.keeper.totals()
    nextLook = lookedAt + (performance.now() - lookedAt) * LOOK_REST_FACTOR
    if (!clock.isDue(events, parts.clock())) return
    const from = parts.clock()
    const { path } = await takeSnapshot(parts.store.keeper, parts.folder, 'periodic', from)
    const pruned = await parts.folder.prune(policy.keep, path)
    clock.made(events, from, parts.clock() - from)
    parts.log.info({ path, events, pruned, ms: parts.clock() - from }, 'a snapshot was made')
  }
  const timer = setInterval(() => {
    working = working.then(async () => (stop.signal.aborted ? undefined : await tolerate(parts, look)))
  }, LOOK_MS).unref()
  return async () => {
    stop.abort()
    clearInterval(timer)
    await working
    await giveBack?.()
  }
}

async function startClock({ folder }: Parts, policy: SnapshotPolicy): Promise<SnapshotClock> {
  const latest = await folder.latest('periodic')
  return new SnapshotClock(policy, latest && (await headOf(latest.path)))
}

async function tolerate({ log }: Parts, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    // A snapshot is a cache: what it would have spared is read from the events.
    log.warn({ err: error }, 'no snapshot could be made; the next look tries again')
  }
}
