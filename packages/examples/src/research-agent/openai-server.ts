import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One scripted answer of the model: text in pieces, or tool calls; or an HTTP error. */
export type Scripted =
  | { readonly say: readonly string[] }
  | { readonly call: readonly { readonly id: string; readonly name: string; readonly input: unknown }[] }
  | { readonly status: number }

/** A chat request as it came in. */
export type ChatRequest = {
  readonly model: string
  readonly stream: boolean
  readonly messages: readonly { readonly role: string; readonly content: unknown; readonly tool_call_id?: string }[]
  readonly tool_choice?: unknown
}

/** A real HTTP server that speaks the streaming chat protocol of OpenAI and answers as scripted, and serves pages of text under /page/. */
export class OpenAiServer {
  readonly requests: ChatRequest[] = []
  readonly keys: (string | undefined)[] = []
  #script: Scripted[] = []
  readonly #write: (address: string) => readonly Scripted[]
  readonly #server: Server

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

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = await this.#answer(request)
    response.writeHead(status, { 'content-type': status === 200 ? 'text/event-stream' : 'application/json' })
    response.end(body)
  }

  async #answer(request: IncomingMessage): Promise<{ readonly status: number; readonly body: string }> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    this.requests.push(JSON.parse(text) as ChatRequest)
    this.keys.push(request.headers.authorization)
    const next = this.#script.shift() ?? { status: 500 }
    if ('status' in next) return { status: next.status, body: JSON.stringify({ error: { message: `scripted ${next.status}`, type: 'server_error' } }) }
    const deltas = 'say' in next ? next.say.map((content) => ({ content })) : [{ tool_calls: next.call.map(toolCall) }]
    const chunks = [...deltas.map((delta) => chunk(delta, null)), chunk({}, 'say' in next ? 'stop' : 'tool_calls'), USAGE]
    return { status: 200, body: `${chunks.map((part) => `data: ${JSON.stringify(part)}\n\n`).join('')}data: [DONE]\n\n` }
  }
}

const COMMON = { id: 'chat-1', object: 'chat.completion.chunk', created: 1, model: 'tiny' }
const USAGE = {
  ...COMMON,
  choices: [],
  usage: {
    prompt_tokens: 100,
    completion_tokens: 30,
    total_tokens: 130,
    prompt_tokens_details: { cached_tokens: 40 },
    completion_tokens_details: { reasoning_tokens: 10 },
  },
}

function chunk(delta: object, finishReason: string | null): object {
  return { ...COMMON, choices: [{ index: 0, delta: { role: 'assistant', ...delta }, finish_reason: finishReason }] }
}

function toolCall({ id, name, input }: { readonly id: string; readonly name: string; readonly input: unknown }, index: number): object {
  return { index, id, type: 'function', function: { name, arguments: JSON.stringify(input) } }
}
