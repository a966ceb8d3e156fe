import { isJsonObject, parseJson, parsePosition, UnavailableError, type Json } from '@koco/core'
import type { Signal, SignalBus } from '../port.ts'
import { SignalListeners } from '../signal-listeners.ts'
import type { RedisChannels } from './channels.ts'
import type { Connection } from './connections.ts'
import type { RedisKeys } from './keys.ts'

/** Signals in one message; more go in several. */
const SIGNALS_MAX = 500

/** Signals over Redis' pub/sub. A message is a JSON list of signals of one channel. */
export class RedisSignals implements SignalBus {
  readonly #out: Connection
  readonly #channels: RedisChannels
  readonly #keys: RedisKeys
  readonly #listeners = new SignalListeners()

  constructor(out: Connection, channels: RedisChannels, keys: RedisKeys) {
    this.#out = out
    this.#channels = channels
    this.#keys = keys
    const shared = new Set([keys.committedChannel, keys.controlChannel, keys.sessionChannel, keys.revokedChannel])
    // A live channel has one run's deltas: who wants all runs' has the pattern, and hears them there.
    channels.onMessage((channel, message, by) => {
      if (by === 'pattern') this.#receive(message, 'all')
      else if (channel.startsWith(keys.liveChannel(''))) this.#receive(message, 'one')
      else if (shared.has(channel)) this.#receive(message, 'both')
    })
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
    const remove = this.#listeners.add(topic, fid, listener)
    try {
      const end = await this.#channels.subscribe(this.#channel(topic, fid))
      return () => {
        remove()
        end()
      }
    } catch (error) {
      remove()
      throw error
    }
  }

  #receive(message: string, to: 'one' | 'all' | 'both'): void {
    this.#listeners.deliver(parseSignals(message), to)
  }

  onReconnect(listener: () => void): () => void {
    return this.#channels.onReconnect(listener)
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    this.#channels.close()
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
