import { Redis, type RedisOptions } from 'ioredis'
import { redisError, unavailable } from './errors.ts'

/** What a connection is for; each has its own link, so that none waits behind another. */
export type ConnectionKind = 'append' | 'commands' | 'blocking' | 'subscribe'

/** Where Redis is and which protocol to speak (3 unless it must be 2). `deadlineMs`: how long a command may go unanswered, default 5,000. */
export type ConnectionOptions = { readonly url: string; readonly protocol?: 2 | 3; readonly deadlineMs?: number }

/** The longest single BZMPOP; a longer wait is several. */
export const BLOCK_MS_MAX = 5000

/*
 * What happens to a command when its link is cut (ioredis 6): with `maxRetriesPerRequest: 0` it is rejected at once, so no promise hangs and nothing is sent twice behind our back;
 * without offline queue nothing old is sent after an outage. A link that is dead without a word is found by `socketTimeout`, which runs only while answers are due.
 * Whether the command was applied is then not known: appends are sent again and answer `dup`, reads are recovered from the pending entries, all else may be repeated.
 */
function optionsOf(kind: ConnectionKind, options: ConnectionOptions): RedisOptions {
  const deadlineMs = options.deadlineMs ?? 5000
  return {
    protocol: options.protocol ?? 3,
    lazyConnect: true,
    connectionName: `koco-${kind}`,
    connectTimeout: deadlineMs,
    socketTimeout: kind === 'blocking' ? BLOCK_MS_MAX + deadlineMs : deadlineMs,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // The subscriber subscribes again itself, to know when the subscriptions stand.
    autoResubscribe: false,
    retryStrategy: (times) => Math.min(1000, 25 * 2 ** Math.min(times, 10)) * (0.5 + Math.random() / 2),
    // A primary that became a replica: connect again, the name may lead to the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  }
}

/** One link to Redis that opens at its first use, comes back by itself and lets no command wait for ever. */
export class Connection {
  readonly redis: Redis
  /** Redis' number of this link, once it is up; only kept for a blocking one, to end its wait from outside. */
  clientId: number | undefined
  /** Host and port, without the password. */
  readonly address: string
  readonly #deadlineMs: number
  #lastError: unknown
  #closed = false
  #opening: Promise<boolean> | undefined

  constructor(kind: ConnectionKind, options: ConnectionOptions) {
    const url = new URL(options.url)
    this.address = url.host || url.pathname
    this.#deadlineMs = options.deadlineMs ?? 5000
    this.redis = new Redis(options.url, optionsOf(kind, options))
    this.redis.on('error', (error) => (this.#lastError = error))
    if (kind === 'blocking') this.redis.on('ready', () => this.#learnId())
  }

  #learnId(): void {
    this.clientId = undefined
    this.redis.client('ID').then(
      (id) => (this.clientId = id),
      (error: unknown) => (this.#lastError = error),
    )
  }

  /** Runs commands once the link is up. Whatever fails comes out as one of core's errors; `doing` completes "Redis cannot …". */
  async run<T>(doing: string, commands: (redis: Redis) => Promise<T>): Promise<T> {
    if (this.redis.status !== 'ready') await this.#ready(doing)
    try {
      return await commands(this.redis)
    } catch (error) {
      throw redisError(error, doing, this.address)
    }
  }

  async #ready(doing: string): Promise<void> {
    if (this.#closed) throw unavailable(doing, this.address, new Error('the connection was closed'))
    this.#opening ??= this.#open()
    if (!(await this.#opening)) throw unavailable(doing, this.address, this.#lastError)
  }

  /** Waits for the link, once for all who need it: true when it is up, false when that took too long or it was closed. */
  async #open(): Promise<boolean> {
    if (this.redis.status === 'wait') this.redis.connect().catch((error: unknown) => (this.#lastError = error))
    const up = Promise.withResolvers<boolean>()
    const onReady = () => up.resolve(true)
    const onEnd = () => up.resolve(false)
    const timer = setTimeout(onEnd, this.#deadlineMs)
    this.redis.once('ready', onReady).once('end', onEnd)
    const isUp = await up.promise
    clearTimeout(timer)
    this.redis.off('ready', onReady).off('end', onEnd)
    this.#opening = undefined
    return isUp
  }

  /** Closes the link; what is in flight fails. */
  close(): void {
    this.#closed = true
    this.redis.disconnect()
  }
}
