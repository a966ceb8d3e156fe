import { isJsonObject, KocoError, parseJson, parsePosition, UnavailableError, type Json } from '@koco/core'
import type { Signal, SignalBus } from '../port.ts'
import { SignalListeners } from '../signal-listeners.ts'
import type { Connection } from './connections.ts'
import type { RedisKeys } from './keys.ts'

/** Signals in one message; more go in several. */
const SIGNALS_MAX = 500
/** How often a quiet subscription is tested; a dead link is found within this and the link's deadline. */
const PING_MS = 15_000

/** Signals over Redis' pub/sub. A message is a JSON list of signals of one channel. */
export class RedisSignals implements SignalBus {
  readonly #out: Connection
  readonly #in: Connection
  readonly #keys: RedisKeys
  readonly #listeners = new SignalListeners()
  readonly #reconnect = new Set<() => void>()
  /** How many subscriptions stand on each channel; a pattern ends in `*`. */
  readonly #wanted = new Map<string, number>()
  #ping: NodeJS.Timeout | undefined
  #wasReady = false

  constructor(out: Connection, incoming: Connection, keys: RedisKeys) {
    this.#out = out
    this.#in = incoming
    this.#keys = keys
    // A live channel has one run's deltas: who wants all runs' has the pattern, and hears them there.
    incoming.redis.on('message', (channel: string, message: string) => this.#receive(message, channel.startsWith(keys.liveChannel('')) ? 'one' : 'both'))
    incoming.redis.on('pmessage', (_pattern: string, _channel: string, message: string) => this.#receive(message, 'all'))
    incoming.redis.on('ready', () => void this.#resume())
  }

  async publish(signals: readonly Signal[]): Promise<void> {
    const byChannel = Map.groupBy(signals, (signal) => this.#channel(signal.topic, signal.fid))
    try {
      await this.#out.run('publish', (redis) =>
        Promise.all([...byChannel].flatMap(([channel, some]) => messages(some).map((text) => redis.publish(channel, text)))),
      )
    } catch (error) {
      // News that nobody hears is lost by contract; everything else is an error.
      if (!(error instanceof UnavailableError)) throw error
    }
  }

  #channel(topic: Signal['topic'], fid: string): string {
    if (topic === 'committed') return this.#keys.committedChannel
    if (topic === 'session') return this.#keys.sessionChannel
    if (topic === 'revoked') return this.#keys.revokedChannel
    return topic === 'control' ? this.#keys.controlChannel : this.#keys.liveChannel(fid)
  }

  async subscribe<T extends Signal['topic']>(topic: T, fid: string, listener: (signal: Extract<Signal, { topic: T }>) => void): Promise<() => void> {
    const channel = this.#channel(topic, fid)
    const remove = this.#listeners.add(topic, fid, listener)
    const count = this.#wanted.get(channel) ?? 0
    this.#wanted.set(channel, count + 1)
    let active = true
    const end = () => {
      if (!active) return
      active = false
      remove()
      this.#drop(channel)
    }
    try {
      await this.#in.run('subscribe', (redis) => (channel.endsWith('*') ? redis.psubscribe(channel) : redis.subscribe(channel)))
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
    if (this.#in.redis.status !== 'ready') return
    const gone = channel.endsWith('*') ? this.#in.redis.punsubscribe(channel) : this.#in.redis.unsubscribe(channel)
    // On a cut link the subscription is gone anyway.
    gone.catch(() => {})
  }

  #receive(message: string, to: 'one' | 'all' | 'both'): void {
    this.#listeners.deliver(parseSignals(message), to)
  }

  /** After a reconnect: subscribes again, and only then says that signals may have been missed. */
  async #resume(): Promise<void> {
    if (!this.#wasReady) {
      this.#wasReady = true
      return
    }
    const channels = [...this.#wanted.keys()]
    const plain = channels.filter((channel) => !channel.endsWith('*'))
    const patterns = channels.filter((channel) => channel.endsWith('*'))
    try {
      await this.#in.run('subscribe again', (redis) =>
        Promise.all([plain.length > 0 ? redis.subscribe(...plain) : 0, patterns.length > 0 ? redis.psubscribe(...patterns) : 0]),
      )
      for (const listener of Array.from(this.#reconnect)) listener()
    } catch (error) {
      // The link was cut again: its next `ready` brings us back here.
      if (!(error instanceof KocoError)) throw error
    }
  }

  async #test(): Promise<void> {
    if (this.#in.redis.status === 'ready') await this.#in.redis.ping().catch(() => {})
  }

  onReconnect(listener: () => void): () => void {
    this.#reconnect.add(listener)
    return () => this.#reconnect.delete(listener)
  }

  async close(): Promise<void> {
    clearInterval(this.#ping)
    this.#listeners.clear()
    this.#reconnect.clear()
    this.#in.close()
    this.#out.close()
  }
}

/** The signals of a message; what is none is left out: news may be lost, and what a stranger publishes must not end a process. */
function parseSignals(message: string): Signal[] {
  try {
    const found = parseJson(message)
    return Array.isArray(found) ? (found.filter(isSignal) as Signal[]) : []
  } catch {
    return []
  }
}

function isSignal(found: Json): boolean {
  if (!isJsonObject(found) || typeof found['fid'] !== 'string') return false
  const { topic, position, ended, step, text } = found
  if (topic === 'committed') return typeof position === 'string' && parsePosition(position) !== undefined && typeof ended === 'boolean'
  if (topic === 'delta') return typeof text === 'string' && (step === null || typeof step === 'string')
  // The others say nothing but whom they concern; one that nobody knows finds no listener.
  return typeof topic === 'string'
}

function messages(signals: readonly Signal[]): string[] {
  const texts: string[] = []
  for (let i = 0; i < signals.length; i += SIGNALS_MAX) texts.push(JSON.stringify(signals.slice(i, i + SIGNALS_MAX)))
  return texts
}
