import { randomUUID } from 'node:crypto'
import { isJsonObject, KocoError, parseJson, type Json } from '@koco/core'
import type { Handover } from '../port.ts'
import { OpenQuestions, type OpenQuestion } from '../open-questions.ts'
import type { RedisChannels } from './channels.ts'
import type { Connection } from './connections.ts'
import type { RedisKeys } from './keys.ts'

type Take = (request: Json) => Promise<Json>

/*
 * Requests and answers over pub/sub, each process with a channel of its own for either: Redis says at once whether somebody listens, and keeps nothing. A request is `{id, to, request}`, where `to` is the channel
 * for its answer `{id, answer}`; one without `answer` was not taken.
 */
export class RedisHandover implements Handover {
  readonly #out: Connection
  readonly #channels: RedisChannels
  readonly #keys: RedisKeys
  readonly #served = new Map<string, Take>()
  readonly #open = new OpenQuestions()
  readonly #mine: string
  #listening: Promise<unknown> | undefined

  constructor(out: Connection, channels: RedisChannels, keys: RedisKeys) {
    this.#out = out
    this.#channels = channels
    this.#keys = keys
    this.#mine = keys.answersChannel(randomUUID())
    channels.onMessage((channel, message) => this.#receive(channel, message))
  }

  async serve(name: string, take: Take): Promise<() => void> {
    const channel = this.#keys.requestsChannel(name)
    const forget = (): void => {
      if (this.#served.get(channel) === take) this.#served.delete(channel)
    }
    this.#served.set(channel, take)
    try {
      const end = await this.#channels.subscribe(channel)
      return () => {
        forget()
        end()
      }
    } catch (error) {
      forget()
      throw error
    }
  }

  async ask(name: string, request: Json, ms: number): Promise<Json | undefined> {
    using question = this.#open.ask(ms)
    // A link that is down is waited for much longer than most who ask have time.
    return await Promise.race([question.answer, this.#put(name, request, question)])
  }

  /** Asks, and waits for the answer; a request whose time is over by then is not sent. */
  async #put(name: string, request: Json, question: OpenQuestion): Promise<Json | undefined> {
    const text = JSON.stringify({ id: question.id, to: this.#mine, request })
    try {
      await this.#listen()
      const heard = await this.#out.run('hand on a request', async (redis) => (question.isOpen() ? redis.publish(this.#keys.requestsChannel(name), text) : 0))
      return heard === 0 ? undefined : await question.answer
    } catch (error) {
      // Redis is away, or lets this user ask nobody: the caller does it itself.
      if (!(error instanceof KocoError)) throw error
      return undefined
    }
  }

  /** Subscribes to the answers once; again when that failed. */
  #listen(): Promise<unknown> {
    this.#listening ??= this.#channels.subscribe(this.#mine).catch((error: unknown) => {
      this.#listening = undefined
      throw error
    })
    return this.#listening
  }

  #receive(channel: string, message: string): void {
    const take = this.#served.get(channel)
    if (!take && channel !== this.#mine) return
    const said = parsed(message)
    if (!isJsonObject(said) || typeof said['id'] !== 'string') return
    if (!take) this.#open.answered(said['id'], said['answer'])
    else if (typeof said['to'] === 'string') void this.#take(take, said['id'], said['to'], said['request'] ?? null)
  }

  async #take(take: Take, id: string, to: string, request: Json): Promise<void> {
    const answer = await take(request).catch(() => undefined)
    // Who asked may be gone, or Redis away: then nobody waits for it.
    await this.#out.run('answer a request', (redis) => redis.publish(to, JSON.stringify({ id, answer }))).catch(() => undefined)
  }
}

/** What is no JSON is nobody's request: strangers may publish too. */
function parsed(message: string): Json {
  try {
    return parseJson(message)
  } catch {
    return null
  }
}
