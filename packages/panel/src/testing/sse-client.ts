import { request, type ClientRequest, type IncomingMessage } from 'node:http'

/** A frame as a client sees it; comments have the event `comment`. */
export type Frame = { readonly id: string | null; readonly event: string; readonly data: string }

/** A live stream under test: frames as they come. */
export type SseClient = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly frames: readonly Frame[]
  /** The first frame that fits, now or later; rejects when the stream ends before it. */
  first(fits: (frame: Frame) => boolean): Promise<Frame>
  /** Resolves when the server has ended the stream, or the connection is gone. */
  readonly ended: Promise<void>
  /** Stops reading from the socket: a slow reader. */
  pause(): void
  close(): void
}

/** Connects and resolves when the answer's head is there. */
export function openSse(url: string, headers: Readonly<Record<string, string>>): Promise<SseClient> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false }, (response) => resolve(clientOf(asked, response)))
    asked.once('error', reject).end()
  })
}

function clientOf(asked: ClientRequest, response: IncomingMessage): SseClient {
  const frames: Frame[] = []
  const waiting = new Set<() => void>()
  let over = false
  let rest = ''
  const tell = (): void => waiting.forEach((check) => check())
  response.setEncoding('utf8')
  response.on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() ?? ''
    frames.push(...blocks.map(parseFrame))
    tell()
  })
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      over = true
      tell()
      resolve()
    }
    response.once('close', end).once('error', end)
    asked.on('error', end)
  })
  const first = (fits: (frame: Frame) => boolean): Promise<Frame> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = frames.find(fits)
        if (!found && !over) return
        waiting.delete(check)
        if (found) resolve(found)
        else reject(new Error(`the stream ended without the frame; it had ${frames.length}: ${JSON.stringify(frames.slice(-3))}`))
      }
      waiting.add(check)
      check()
    })
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    frames,
    first,
    ended,
    pause: () => void response.pause(),
    close: () => void asked.destroy(),
  }
}

function parseFrame(block: string): Frame {
  if (block.startsWith(':')) return { id: null, event: 'comment', data: block.slice(1).trim() }
  const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()] as const))
  return {
    id: fields.get('id') ?? null,
    event: fields.get('event') ?? (fields.has('retry') ? 'retry' : 'message'),
    data: fields.get('data') ?? fields.get('retry') ?? '',
  }
}
