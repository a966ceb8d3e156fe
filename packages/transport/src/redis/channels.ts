import { KocoError } from '@koco/core'
import type { Connection } from './connections.ts'

/** How often a quiet subscription is tested; a dead link is found within this and the link's deadline. */
const PING_MS = 15_000

/** The subscriptions of a process over one link: counted, so that a channel is left with its last listener, and made again after the link was cut. */
export class RedisChannels {
  readonly #link: Connection
  readonly #reconnect = new Set<() => void>()
  /** How many subscriptions stand on each channel; a pattern ends in `*`. */
  readonly #wanted = new Map<string, number>()
  #ping: NodeJS.Timeout | undefined
  #wasReady = false

  constructor(link: Connection) {
    this.#link = link
    link.redis.on('ready', () => void this.#resume())
  }

  /** Calls `listener` with each message of any channel; `by` says whether a subscription to it or to a pattern brought it. */
  onMessage(listener: (channel: string, message: string, by: 'channel' | 'pattern') => void): void {
    this.#link.redis.on('message', (channel: string, message: string) => listener(channel, message, 'channel'))
    this.#link.redis.on('pmessage', (_pattern: string, channel: string, message: string) => listener(channel, message, 'pattern'))
  }

  /** The subscription stands when it resolves; the result ends it and may be called twice. */
  async subscribe(channel: string): Promise<() => void> {
    this.#wanted.set(channel, (this.#wanted.get(channel) ?? 0) + 1)
    let active = true
    const end = () => {
      if (active) this.#drop(channel)
      active = false
    }
    try {
      await this.#link.run('subscribe', (redis) => (channel.endsWith('*') ? redis.psubscribe(channel) : redis.subscribe(channel)))
    } catch (error) {
      end()
      throw error
    }
    this.#ping ??= setInterval(() => void this.#test(), PING_MS).unref()
    return end
  }

  #drop(channel: string): void {
    const left = (this.#wanted.get(channel) ?? 1) - 1
    if (left > 0) return void this.#wanted.set(channel, left)
    this.#wanted.delete(channel)
    if (this.#link.redis.status !== 'ready') return
    const gone = channel.endsWith('*') ? this.#link.redis.punsubscribe(channel) : this.#link.redis.unsubscribe(channel)
    // On a cut link the subscription is gone anyway.
    gone.catch(() => {})
  }

  /** Calls `listener` after each reconnect, once the subscriptions stand again. */
  onReconnect(listener: () => void): () => void {
    this.#reconnect.add(listener)
    return () => this.#reconnect.delete(listener)
  }

  /** After a reconnect: subscribes again, and only then says that messages may have been missed. */
  async #resume(): Promise<void> {
    if (!this.#wasReady) {
      this.#wasReady = true
      return
    }
    const channels = [...this.#wanted.keys()]
    const plain = channels.filter((channel) => !channel.endsWith('*'))
    const patterns = channels.filter((channel) => channel.endsWith('*'))
    try {
      await this.#link.run('subscribe again', (redis) =>
        Promise.all([plain.length > 0 ? redis.subscribe(...plain) : 0, patterns.length > 0 ? redis.psubscribe(...patterns) : 0]),
      )
      for (const listener of Array.from(this.#reconnect)) listener()
    } catch (error) {
      // The link was cut again: its next `ready` brings us back here.
      if (!(error instanceof KocoError)) throw error
    }
  }

  async #test(): Promise<void> {
    if (this.#link.redis.status === 'ready') await this.#link.redis.ping().catch(() => {})
  }

  close(): void {
    clearInterval(this.#ping)
    this.#reconnect.clear()
    this.#link.close()
  }
}
