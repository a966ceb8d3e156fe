import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

/** A Lua script, run by its hash; sent in full when the server does not know it (first use, restart, failover). */
export class Script {
  readonly #lua: string
  readonly #sha: string

  constructor(lua: string) {
    this.#lua = lua
    this.#sha = createHash('sha1').update(lua).digest('hex')
  }

  /** Runs it and gives Redis' reply. */
  async run(redis: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return redis.eval(this.#lua, keys.length, ...keys, ...args)
    }
  }
}
