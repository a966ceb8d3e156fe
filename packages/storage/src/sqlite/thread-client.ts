import { Worker } from 'node:worker_threads'
import { UnavailableError } from '@koco/core'
import { type Hello, type PackedError, type Reply, type Request, type ThreadData, unpackError } from './protocol.ts'

const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url)
/** Messages on the way at once: one at work and one behind it. What comes meanwhile goes together in the next. */
const MESSAGES_MAX = 2
const CALLS_MAX = 512

type Waiting = { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void }

/** The main thread's side of one worker thread: calls and answers. The thread does not keep the process alive by itself; a call under way does. */
export class ThreadClient {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<void>()
  #outbox: Request[] = []
  #open: number[] = []
  #nextId = 1
  #dead: Error | undefined
  /** What the thread last reported of its own work; undefined when that goes well. */
  problem: Error | undefined

  private constructor(data: ThreadData) {
    this.#worker = new Worker(ENTRY, { workerData: data, transferList: data.peer ? [data.peer] : [], name: `koco-${data.role}` })
    this.#worker.on('message', (message) => this.#onMessage(message))
    this.#worker.on('error', (error) => this.#die(error instanceof Error ? error : new Error(String(error))))
    this.#worker.on('exit', () => this.#die(undefined))
  }

  /** Starts a thread and waits until it is ready; rejects with what it failed by. */
  static async start(data: ThreadData): Promise<ThreadClient> {
    const client = new ThreadClient(data)
    await client.#ready.promise
    client.#worker.unref()
    return client
  }

  call<T>(op: string, ...args: readonly unknown[]): Promise<T> {
    if (this.#dead) return Promise.reject(this.#dead)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    if (this.#waiting.size === 0) this.#worker.ref()
    this.#outbox.push({ id: this.#nextId, op, args })
    this.#waiting.set(this.#nextId, { resolve, reject })
    this.#nextId++
    this.#send()
    return promise
  }

  /** Lets the thread end its work, all calls so far included; resolves when it has ended. */
  async close(): Promise<void> {
    if (!this.#dead) {
      this.#dead = closed()
      this.#worker.ref()
      this.#worker.postMessage(this.#outbox.splice(0))
      this.#worker.postMessage('close')
    }
    await this.#ended.promise
  }

  #send(): void {
    while (this.#outbox.length > 0 && this.#open.length < MESSAGES_MAX) {
      const message = this.#outbox.splice(0, CALLS_MAX)
      this.#open.push(message.length)
      this.#worker.postMessage(message)
    }
  }

  #onMessage(message: Hello | readonly Reply[] | { readonly problem: PackedError | null }): void {
    if ('ready' in message) this.#ready.resolve()
    else if ('failed' in message) this.#ready.reject(unpackError(message.failed))
    else if ('problem' in message) this.problem = message.problem ? unpackError(message.problem) : undefined
    else this.#settle(message)
  }

  #settle(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const waiting = this.#waiting.get(reply.id)
      this.#waiting.delete(reply.id)
      if ('error' in reply) waiting?.reject(unpackError(reply.error))
      else waiting?.resolve(reply.value as never)
    }
    this.#countAnswers(replies.length)
    if (this.#waiting.size === 0 && !this.#dead) this.#worker.unref()
    this.#send()
  }

  /** Calls are answered in order, though not always in the groups in which they were sent. */
  #countAnswers(answers: number): void {
    let left = answers
    while (left > 0 && this.#open.length > 0) {
      const first = this.#open[0] ?? 0
      if (first > left) this.#open[0] = first - left
      else this.#open.shift()
      left -= first
    }
  }

  #die(error: Error | undefined): void {
    this.#dead ??= closed(error)
    for (const { reject } of this.#waiting.values()) reject(this.#dead)
    this.#waiting.clear()
    this.#ready.reject(this.#dead)
    this.#ended.resolve()
  }
}

function closed(cause?: Error): UnavailableError {
  return new UnavailableError('The storage thread has ended. Open the store again, or restart koco.', { code: 'store_closed', cause })
}
