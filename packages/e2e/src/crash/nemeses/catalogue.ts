import type { DistributedWorld } from '../distributed-world.ts'
import type { EmbeddedWorld } from '../embedded-world.ts'
import type { TemporalWorld } from '../temporal-world.ts'
import type { Nemesis } from '../world.ts'
import { diskFull } from './disk.ts'
import { linkCut, linkSlow, repliesLost } from './links.ts'
import { postgresCrowded, postgresPaused, postgresRefusesRows, postgresRestarted } from './postgres.ts'
import { panelFrozen, panelKilled, spoolerFrozen, spoolerKilled } from './processes.ts'
import { redisFull, redisReadOnly, redisReplaced, redisRestarted, redisWiped, strangerWrites } from './redis.ts'
import { clockStepped, temporalRestarted, workerFrozen, workerKilled } from './temporal.ts'

/** What may befall an installation over Redis and Postgres. */
export const DISTRIBUTED: readonly Nemesis<DistributedWorld>[] = [
  spoolerKilled,
  spoolerFrozen,
  panelKilled,
  panelFrozen,
  repliesLost,
  linkCut,
  linkSlow,
  redisRestarted,
  redisReplaced,
  redisWiped,
  redisFull,
  redisReadOnly,
  strangerWrites,
  postgresRestarted,
  postgresPaused,
  postgresCrowded,
  postgresRefusesRows,
]

/** What may befall an embedded one. */
export const EMBEDDED: readonly Nemesis[] = [panelKilled, panelFrozen]

/** What may befall one on a small disk. */
export const ON_DISK: readonly Nemesis<EmbeddedWorld>[] = [diskFull]

/** What may befall the workers, and Temporal. */
export const TEMPORAL: readonly Nemesis<TemporalWorld>[] = [workerKilled, workerFrozen, clockStepped, temporalRestarted]

/** Whether two faults may strike together: not when they have one victim, and not when the stream goes together with the process that could fill it again, which is beyond the promise. */
export function mayMix(one: Nemesis<never>, other: Nemesis<never>): boolean {
  return one.victim !== other.victim && (one.forgets === undefined || other.forgets === undefined)
}
