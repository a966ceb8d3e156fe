import type { Lease, LeaseCounter } from '../port.ts'

/** Counted leases within one process. */
export class MemoryLeases implements LeaseCounter {
  readonly lifeMs: number
  readonly #clock: () => number
  readonly #held = new Map<string, Map<string, number>>()

  constructor(lifeMs: number, clock: () => number) {
    this.lifeMs = lifeMs
    this.#clock = clock
  }

  async take({ name, holder }: Lease, max: number): Promise<boolean> {
    const standing = this.#standing(name)
    if (!standing.has(holder) && standing.size >= max) return false
    this.#hold({ name, holder })
    return true
  }

  async renew(leases: readonly Lease[]): Promise<void> {
    for (const lease of leases) this.#hold(lease)
  }

  async release({ name, holder }: Lease): Promise<void> {
    this.#held.get(name)?.delete(holder)
    if (this.#held.get(name)?.size === 0) this.#held.delete(name)
  }

  async count(name: string): Promise<number> {
    return this.#standing(name).size
  }

  #hold({ name, holder }: Lease): void {
    const standing = this.#held.get(name) ?? new Map<string, number>()
    this.#held.set(name, standing.set(holder, this.#clock() + this.lifeMs))
  }

  #standing(name: string): ReadonlyMap<string, number> {
    const held = this.#held.get(name)
    if (!held) return new Map()
    for (const [holder, untilMs] of held) if (untilMs <= this.#clock()) held.delete(holder)
    if (held.size === 0) this.#held.delete(name)
    return held
  }
}
