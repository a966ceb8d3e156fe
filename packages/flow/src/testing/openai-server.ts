import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * One scripted answer of the model: text in pieces (after reasoning in pieces), or tool calls; or an HTTP error. `hold`: the answer stops after its pieces until `release` is called, or the client goes.
 */
export type Scripted =
  | { readonly say: readonly string[]; readonly reasoning?: readonly string[]; readonly hold?: true }
  | { readonly call: readonly { readonly id: string; readonly name: string; readonly input: unknown }[] }
  | { readonly status: number }

/** A chat request as it came in. */
export type ChatRequest = {
  readonly model: string
  readonly stream?: boolean
  readonly messages: readonly { readonly role: string; readonly content: unknown; readonly tool_call_id?: string; readonly tool_calls?: unknown }[]
  readonly tool_choice?: unknown
  readonly tools?: readonly { readonly function: { readonly name: string } }[]
}

/** A real HTTP server that speaks the chat protocol of OpenAI, streaming or not, and answers as scripted, and serves pages of text under /page/. */
export class OpenAiServer {
  readonly requests: ChatRequest[] = []
  readonly keys: (string | undefined)[] = []
  /** What is answered when the script is over. */
  otherwise: (asked: ChatRequest) => Scripted = () => ({ status: 500 })
  #script: Scripted[] = []
  readonly #write: (address: string) => readonly Scripted[]
  readonly #server: Server
  readonly #held = new Set<() => void>()
  readonly #watchers = new Set<() => void>()

  constructor(script: (address: string) => readonly Scripted[]) {
    this.#write = script
    this.#server = createServer((request, response) => {
      if (request.url?.startsWith('/page/') === true) {
        response.setHeader('content-type', 'text/html')
        response.end(`<html><script>alert(1)</script><body><h1>${request.url}</h1> Tigers &amp; lions</body></html>`)
        return
      }
      void this.#chat(request, response)
    })
  }

  /** Listens on a free port; gives `host:port`. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    this.#script = [...this.#write(address)]
    return address
  }

  /** Answers these next. */
  script(...answers: readonly Scripted[]): void {
    this.#script.push(...answers)
  }

  /** Lets the answers that are held go on to their end. */
  release(): void {
    for (const go of this.#held) go()
  }

  /** Resolves when an answer is held: all its pieces are on their way. */
  async holding(): Promise<void> {
    while (this.#held.size === 0) await new Promise<void>((resolve) => this.#watchers.add(resolve))
  }

  /** Cuts the connections that are open. */
  cut(): void {
    this.#server.closeAllConnections()
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const asked = JSON.parse(text) as ChatRequest
    this.requests.push(asked)
    this.keys.push(request.headers.authorization)
    const next = this.#script.shift() ?? this.otherwise(asked)
    if ('status' in next) {
      response.writeHead(next.status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: { message: `scripted ${next.status}`, type: 'server_error' } }))
    } else if (asked.stream === true) await this.#stream(response, next)
    else {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(whole(next)))
    }
  }

  async #stream(response: ServerResponse, next: Exclude<Scripted, { status: number }>): Promise<void> {
    const send = (part: object): boolean => response.write(`data: ${JSON.stringify(part)}\n\n`)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if ('say' in next) {
      for (const reasoning of next.reasoning ?? []) send(chunk({ reasoning_content: reasoning }, null))
      for (const content of next.say) send(chunk({ content }, null))
      if (next.hold) await this.#hold(response)
    } else send(chunk({ tool_calls: next.call.map(toolCall) }, null))
    send(chunk({}, 'say' in next ? 'stop' : 'tool_calls'))
    send({ ...COMMON, choices: [], usage: USAGE })
    response.end('data: [DONE]\n\n')
  }

  async #hold(response: ServerResponse): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held.add(resolve)
    for (const watcher of this.#watchers) watcher()
    this.#watchers.clear()
    await Promise.race([promise, once(response, 'close')])
    this.#held.delete(resolve)
  }
}

const COMMON = { id: 'chat-1', object: 'chat.completion.chunk', created: 1, model: 'tiny' }
const USAGE = {
  prompt_tokens: 100,
  completion_tokens: 30,
  total_tokens: 130,
  prompt_tokens_details: { cached_tokens: 40 },
  completion_tokens_details: { reasoning_tokens: 10 },
}

function whole(next: Exclude<Scripted, { status: number }>): object {
  const message = 'say' in next ? { role: 'assistant', content: next.say.join('') } : { role: 'assistant', content: null, tool_calls: next.call.map(toolCall) }
  return { ...COMMON, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'say' in next ? 'stop' : 'tool_calls' }], usage: USAGE }
}

function chunk(delta: object, finishReason: string | null): object {
  return { ...COMMON, choices: [{ index: 0, delta: { role: 'assistant', ...delta }, finish_reason: finishReason }] }
}

function toolCall({ id, name, input }: { readonly id: string; readonly name: string; readonly input: unknown }, index: number): object {
  return { index, id, type: 'function', function: { name, arguments: JSON.stringify(input) } }
}
