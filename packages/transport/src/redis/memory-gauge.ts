import type { Redis } from 'ioredis'

/** How old a measurement may be. */
const AGE_MS_MAX = 5000
/** The share of maxmemory above which nothing acknowledged is kept. */
const TIGHT_SHARE = 0.7

/** Tells whether Redis runs short of memory; asks it at most every 5 s. */
export class MemoryGauge {
  readonly #clock: () => number
  #askedAt = Number.NEGATIVE_INFINITY
  #tight = false

  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** True above 70 % of maxmemory; false without a maxmemory. */
  async isTight(redis: Redis): Promise<boolean> {
    const now = this.#clock()
    if (now - this.#askedAt < AGE_MS_MAX) return this.#tight
    this.#askedAt = now
    const info = await redis.info('memory')
    const most = infoNumber(info, 'maxmemory')
    this.#tight = most > 0 && infoNumber(info, 'used_memory') > most * TIGHT_SHARE
    return this.#tight
  }
}

/** A number of an INFO reply; 0 when it is not there. */
function infoNumber(info: string, name: string): number {
  return Number(infoField(info, name) ?? 0)
}

/** A field of an INFO reply. */
export function infoField(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim()
}
