import type { Lease, LeaseCounter } from '@koco/transport'

/** The leases of this process's connections: one for each, renewed while it is open. */
export type HeldLeases = {
  /** Takes one for a connection of a user; false when they have as many as they may. UnavailableError while nobody can count. */
  take(user: string, connection: string): Promise<boolean>
  /** Gives it back; while the counter is away it ends by itself. */
  release(connection: string): Promise<void>
  readonly size: number
  /** Stops renewing and gives all back. */
  close(): Promise<void>
}

/** What they stand on. */
export type HeldLeasesDeps = {
  readonly leases: LeaseCounter
  readonly max: number
  readonly onReconnect: (listener: () => void) => () => void
  readonly log: { warn(data: object, text: string): void }
}

/** Renews every third of a lease's life, and at once when the counter is back after an outage, before others count again. */
export function createHeldLeases({ leases, max, onReconnect, log }: HeldLeasesDeps): HeldLeases {
  const held = new Map<string, Lease>()
  let isAway = false

  async function renew(): Promise<void> {
    try {
      await leases.renew([...held.values()])
      isAway = false
    } catch (error) {
      if (!isAway) log.warn({ err: error, connections: held.size }, 'the connections could not be counted on; those that are open stay, new ones wait')
      isAway = true
    }
  }
  async function giveBack(lease: Lease): Promise<void> {
    await leases.release(lease).catch((error: unknown) => log.warn({ err: error }, 'a connection is counted until its lease ends'))
  }
  const timer = setInterval(() => void renew(), leases.lifeMs / 3)
  timer.unref()
  const stop = onReconnect(() => void renew())
  return {
    async take(user, connection) {
      // Whoever was open before the outage counts first.
      if (isAway) await renew()
      const lease = { name: `ws:${user}`, holder: connection }
      if (!(await leases.take(lease, max))) return false
      held.set(connection, lease)
      return true
    },
    async release(connection) {
      const lease = held.get(connection)
      held.delete(connection)
      if (lease) await giveBack(lease)
    },
    get size() {
      return held.size
    },
    async close() {
      clearInterval(timer)
      stop()
      await Promise.all([...held.values()].map(giveBack))
      held.clear()
    },
  }
}
