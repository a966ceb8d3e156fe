import type { SpoolerLog } from './options.ts'

/** What may be away. */
export type Side = 'store' | 'transport'

type Outage = { readonly since: number; readonly by: string }

/** Remembers which side is away since when, and says so once at each change: in the log and to the metrics. */
export class Health {
  readonly #log: SpoolerLog
  readonly #now: () => number
  readonly #delayed: (delayed: boolean) => void
  #slowSaidAt = Number.NEGATIVE_INFINITY
  readonly #outages = new Map<Side, Outage>()

  constructor(log: SpoolerLog, now: () => number, delayed: (delayed: boolean) => void) {
    this.#log = log
    this.#now = now
    this.#delayed = delayed
  }

  /** The outage that lasts longest, undefined when all is well. */
  get outage(): Outage | undefined {
    return [...this.#outages.values()].sort((a, b) => a.since - b.since)[0]
  }

  failed(side: Side, error: unknown): void {
    if (this.#outages.has(side)) return
    const by = error instanceof Error ? error.message : String(error)
    this.#outages.set(side, { since: this.#now(), by })
    this.#log.error({ err: error }, `the ${side} does not answer: events wait in their streams until it does`)
    if (this.#outages.size === 1) this.#delayed(true)
  }

  /** The store answers, but late: says so at most once in `everyMs`. */
  slow(everyMs: number, figures: { readonly write_ms: number } & Readonly<Record<string, number>>): void {
    const now = this.#now()
    if (now - this.#slowSaidAt < everyMs) return
    this.#slowSaidAt = now
    this.#log.warn(figures, `the store answers slowly: a batch took ${Math.round(figures.write_ms)} ms`)
  }

  works(side: Side): void {
    const outage = this.#outages.get(side)
    if (!outage) return
    this.#outages.delete(side)
    this.#log.info({ delayed_ms: this.#now() - outage.since }, `the ${side} is back`)
    if (this.#outages.size === 0) this.#delayed(false)
  }
}
