import type { ConsumerStatus } from '@koco/transport'
import { Gauge, type Registry } from 'prom-client'

/** Since when events are not stored as they come (unix seconds), and a stable code that says why: that of the store or the transport, `no_spooler`, or `spoolers_behind`. */
export type Delay = { readonly since: number; readonly because: string }

/** What the watch asks. `checks` are readiness's: `ok` or a code. */
export type DelayWatchDeps = {
  readonly checks: () => Promise<Readonly<Record<string, string>>>
  readonly consumers: () => Promise<readonly ConsumerStatus[]>
  readonly registry: Registry
  readonly log: { info(fields: object, text: string): void; warn(fields: object, text: string): void }
  /** Milliseconds since 1970. */
  readonly clock: () => number
}

/** Looks by itself every few seconds, and when asked. */
export type DelayWatch = { look(): Promise<Delay | null>; close(): void }

const LOOK_MS = 5000
const FRESH_MS = 2000
/** A busy spooler may be so far behind without a word. */
const BEHIND_MS = 15_000

/** Knows since when events wait, whatever the cause, says so in the log when it begins and ends, and tells Prometheus for how long. */
export function createDelayWatch(deps: DelayWatchDeps): DelayWatch {
  const { registry, log, clock } = deps
  const seconds = new Gauge({
    name: 'koco_events_delayed_seconds',
    help: 'For how long events have not been stored as they come; 0 when all is well',
    registers: [registry],
  })
  let delay: Delay | null = null
  let unheldSince: number | undefined
  let last: { readonly atMs: number; readonly answer: Promise<Delay | null> } | undefined

  async function cause(): Promise<Delay | null> {
    const checks = await deps.checks()
    const now = clock() / 1000
    const away = ['store', 'transport'].map((name) => checks[name] ?? 'ok').find((said) => said !== 'ok')
    if (away !== undefined) return { since: now, because: away }
    const waiting = (await deps.consumers()).filter(({ lag }) => lag > 0)
    const unheld = waiting.some(({ name }) => name === '')
    if (!unheld) unheldSince = undefined
    else unheldSince ??= now
    const oldestMs = Math.max(0, ...waiting.map(({ oldestPendingMs }) => oldestPendingMs ?? 0))
    if (oldestMs > BEHIND_MS) return { since: now - oldestMs / 1000, because: 'spoolers_behind' }
    if (unheldSince !== undefined && now - unheldSince > BEHIND_MS / 1000) return { since: unheldSince, because: 'no_spooler' }
    return null
  }

  async function ask(): Promise<Delay | null> {
    // Whoever cannot be asked now shows in the checks.
    const found = await cause().catch(() => delay)
    if (found && !delay) log.warn({ because: found.because }, `events are delayed (${found.because}): they wait in their streams, nothing is lost`)
    if (!found && delay) log.info({ delayed_s: Math.round(clock() / 1000 - delay.since) }, 'events are stored as they come again')
    delay = found && { because: found.because, since: Math.min(found.since, delay?.since ?? found.since) }
    seconds.set(delay ? clock() / 1000 - delay.since : 0)
    return delay
  }

  function look(): Promise<Delay | null> {
    if (!last || clock() - last.atMs >= FRESH_MS) last = { atMs: clock(), answer: ask() }
    return last.answer
  }
  const timer = setInterval(() => void look(), LOOK_MS).unref()
  return { look, close: () => clearInterval(timer) }
}
