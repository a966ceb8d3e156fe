import { setTimeout as delay } from 'node:timers/promises'
import type { TalkMessage } from '../processes/talk.ts'
import { Seat } from './seat.ts'

const LOOK_MS = 200

/** A person who talks in one session over two connections, one saying and both hearing, until told to stop; says everything once, whatever is cut meanwhile. */
export class Talker {
  readonly seats: readonly [Seat, Seat]
  readonly said: string[] = []
  readonly #address: string
  readonly #token: string
  readonly #session: string
  readonly #done: Promise<void>
  #stopping = false
  #answered = Promise.withResolvers<void>()

  constructor(address: string, token: string, session: string) {
    this.#address = address
    this.#token = token
    this.#session = session
    const place = { address, token, session }
    this.seats = [new Seat({ ...place, live: true }), new Seat({ ...place, live: false })]
    this.#done = this.#talk()
  }

  /** Says no more, and resolves when everything that was said is answered. */
  async finish(): Promise<void> {
    this.#stopping = true
    await this.#done
  }

  /** Resolves when what is being said now is answered. */
  answered(): Promise<void> {
    return this.#answered.promise
  }

  /** What the session holds. */
  async transcript(): Promise<readonly TalkMessage[]> {
    const answer = await fetch(`${this.#address}/api/session?session_id=${this.#session}`, { headers: { authorization: `Bearer ${this.#token}` } })
    if (!answer.ok) throw new Error(`the session answered ${answer.status}`)
    return ((await answer.json()) as { session: { messages: TalkMessage[] } }).session.messages
  }

  async #talk(): Promise<void> {
    while (!this.#stopping) {
      const text = `word ${this.said.length + 1} of ${this.#session}`
      this.said.push(text)
      while (!(await this.#isAnswered(text).catch(() => false))) await delay(LOOK_MS)
      this.#answered.resolve()
      this.#answered = Promise.withResolvers()
    }
  }

  /** True when it was said and answered; says it when it was not. What is refused or cut may have been said all the same: it is said at the revision at which it was not, so never twice. */
  async #isAnswered(text: string): Promise<boolean> {
    const { type, data } = await this.seats[0].ask('session_control', { action: 'status' })
    if (type === 'error' || data['turn_id'] !== null) return false
    const messages = await this.transcript()
    const at = messages.findLastIndex(({ role, content }) => role === 'user' && content === text)
    if (at >= 0) return at < messages.length - 1
    await this.seats[0].ask('chat_message', { expected_revision: data['revision'] }, text)
    return false
  }
}
