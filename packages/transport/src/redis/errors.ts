import { KocoError, RefusedError, UnavailableError } from '@koco/core'

type Answer = { readonly starts: string; readonly code: string; readonly remedy: string }

/** Redis' error answers after which the same command may work later; in front of each its first word. */
const LATER: readonly Answer[] = [
  { starts: 'OOM', code: 'redis_full', remedy: 'Redis has reached maxmemory: raise it, or let the spoolers catch up.' },
  { starts: 'READONLY', code: 'redis_readonly', remedy: 'This Redis is a replica: point KODO_REDIS_URL at the primary, or wait for the failover.' },
  { starts: 'LOADING', code: 'redis_loading', remedy: 'Redis is loading its data; it answers soon.' },
  { starts: 'BUSY', code: 'redis_busy', remedy: 'Redis is held by a long script; look at SLOWLOG.' },
  { starts: 'MISCONF', code: 'redis_disk', remedy: 'Redis cannot write its data to disk: free space on its disk.' },
  { starts: 'NOREPLICAS', code: 'redis_replicas', remedy: 'Redis has too few replicas (min-replicas-to-write): bring them back.' },
  { starts: 'MASTERDOWN', code: 'redis_failover', remedy: 'The primary of this Redis is away: wait for the failover.' },
  { starts: 'CLUSTERDOWN', code: 'redis_failover', remedy: 'The Redis cluster is down.' },
]

/** Answers that no repetition changes. */
const NEVER: readonly Answer[] = [
  { starts: 'NOAUTH', code: 'redis_denied', remedy: 'Put the password into KODO_REDIS_URL: redis://:password@host:6379.' },
  { starts: 'WRONGPASS', code: 'redis_denied', remedy: 'Correct user and password in KODO_REDIS_URL.' },
  { starts: 'NOPERM', code: 'redis_denied', remedy: 'Give the Redis user of KODO_REDIS_URL access to these commands and keys.' },
  { starts: 'WRONGTYPE', code: 'redis_foreign_key', remedy: 'Something else uses a key of this prefix: choose another KODO_REDIS_STREAM_PREFIX.' },
  { starts: 'CROSSSLOT', code: 'redis_cluster', remedy: 'Redis Cluster is not supported: use one primary, with replicas if you like.' },
  { starts: 'MOVED', code: 'redis_cluster', remedy: 'Redis Cluster is not supported: use one primary, with replicas if you like.' },
  { starts: 'ERR unknown command', code: 'redis_too_old', remedy: 'Use Redis 7.0 or later.' },
]

/** What a failed command means for its caller. Everything that says nothing about the outcome (cut link, time-out) is UnavailableError: do the same again. */
export function redisError(error: unknown, doing: string, address: string): KocoError {
  if (error instanceof KocoError) return error
  const text = error instanceof Error ? error.message : String(error)
  const later = LATER.find((answer) => text.startsWith(answer.starts))
  if (later) return new UnavailableError(`Redis at ${address} cannot ${doing} now (${text}). ${later.remedy}`, { code: later.code, cause: error })
  const never = NEVER.find((answer) => text.startsWith(answer.starts))
  if (never) return new RefusedError(`Redis at ${address} refuses to ${doing} (${text}). ${never.remedy}`, { code: never.code, cause: error })
  if (isReply(error)) return new RefusedError(`Redis at ${address} failed to ${doing}: ${text}`, { code: 'redis_error', cause: error })
  return unavailable(doing, address, error)
}

/** Redis did not answer. */
export function unavailable(doing: string, address: string, cause: unknown): UnavailableError {
  const text = whyOf(cause)
  const remedy = 'See that it runs and that KODO_REDIS_URL names it; work goes on by itself when it is back.'
  return new UnavailableError(`Redis at ${address} did not answer (to ${doing}): ${text}. ${remedy}`, { code: 'redis_unavailable', cause })
}

// ioredis tells of its own settings where a link was cut under a command.
function whyOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'no connection yet'
  return cause.name === 'MaxRetriesPerRequestError' ? 'the link was cut' : cause.message
}

/** True for an error that Redis answered with, as against one of the connection. */
function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError'
}
