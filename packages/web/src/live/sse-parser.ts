/** One frame of an event stream. `id` is null for control frames, which take no position; a comment (heartbeat) has event `comment`. */
export type SseFrame = { readonly event: string; readonly id: string | null; readonly data: string; readonly retryMs: number | null }

/** A frame that never ends is somebody's mistake; above this many characters the stream is given up. */
const FRAME_CHARS_MAX = 4 * 1024 * 1024

/** Takes text as it arrives, cut anywhere, and gives the frames that it completes. One parser a connection. */
export class SseParser {
  #rest = ''

  /** Throws RangeError when a frame grows above 4 MiB. */
  push(chunk: string): SseFrame[] {
    const text = this.#rest + chunk
    const frames: SseFrame[] = []
    let start = 0
    // A CR at the very end may be half of a CRLF: wait for what follows.
    for (let end = endOfFrame(text, start); end !== undefined; end = endOfFrame(text, start)) {
      const frame = parseFrame(text.slice(start, end.at))
      if (frame) frames.push(frame)
      start = end.next
    }
    this.#rest = text.slice(start)
    if (this.#rest.length > FRAME_CHARS_MAX) throw new RangeError(`a frame of the live stream is longer than ${FRAME_CHARS_MAX} characters`)
    return frames
  }
}

const BLANK_LINE = /\r\n\r\n|\n\n|\r\r(?!\n)/g

function endOfFrame(text: string, from: number): { at: number; next: number } | undefined {
  BLANK_LINE.lastIndex = from
  const match = BLANK_LINE.exec(text)
  return match ? { at: match.index, next: match.index + match[0].length } : undefined
}

function parseFrame(block: string): SseFrame | undefined {
  let event = ''
  let id: string | null = null
  let retryMs: number | null = null
  let comment: string | null = null
  const data: string[] = []
  for (const line of block.split(/\r\n|\n|\r/)) {
    if (line.startsWith(':')) {
      comment = line.slice(1).trim()
      continue
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') event = value
    else if (field === 'data') data.push(value)
    else if (field === 'id') id = value
    else if (field === 'retry' && /^\d+$/.test(value)) retryMs = Number(value)
  }
  if (event !== '' || data.length > 0 || id !== null) return { event: event || 'message', id, data: data.join('\n'), retryMs }
  if (comment !== null) return { event: 'comment', id: null, data: comment, retryMs }
  return retryMs === null ? undefined : { event: 'retry', id: null, data: '', retryMs }
}
