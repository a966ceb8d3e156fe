import { must } from '@koco/core'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'

/** A notice as it came. */
export type Notice = { readonly id: string; readonly headers: IncomingHttpHeaders; readonly body: string }

/** What to answer. `never`: nothing. */
export type ReceiverAnswer = { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | 'never'

/** A real HTTP server that takes notices, in the order in which they come. */
export class Receiver {
  readonly url: string
  /** How many came since the last reset. */
  count = 0
  answer: (notice: Notice) => ReceiverAnswer = () => ({ status: 204 })
  readonly #server: Server
  #came: Notice[] = []
  #waiting: ((notice: Notice) => void)[] = []

  static async listen(): Promise<Receiver> {
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    return new Receiver(server)
  }

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
    server.on('request', (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const notice = { id: String(request.headers['webhook-id']), headers: request.headers, body: Buffer.concat(chunks).toString() }
        this.count += 1
        const next = this.#waiting.shift()
        if (next) next(notice)
        else this.#came.push(notice)
        const answer = this.answer(notice)
        if (answer !== 'never') response.writeHead(answer.status, answer.headers).end()
      })
    })
  }

  /** The next notice that nobody has taken. */
  next(): Promise<Notice> {
    const first = this.#came.shift()
    return first ? Promise.resolve(first) : new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Checks a signature as receivers do, but for the age of the notice: the clocks of tests go their own way. */
  verify({ headers, body, id }: Notice, secret: string): void {
    const at = new Date(Number(headers['webhook-timestamp']) * 1000)
    const wanted = new Webhook(secret).sign(id, at, body)
    must(headers['webhook-signature'] === wanted || undefined, 'the signature')
  }

  reset(): void {
    this.count = 0
    this.#came = []
    this.#waiting = []
    this.answer = () => ({ status: 204 })
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }
}
