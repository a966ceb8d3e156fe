/** A frame of a live tail. `id` is the position of an event, null for control frames. */
export type Frame = { readonly id: string | null; readonly event: string; readonly data: string }

/** The frames of a `text/event-stream` body; comments are passed over. Ends with the body, also when the connection breaks. */
export async function* readFrames(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
  const decoder = new TextDecoder()
  let rest = ''
  try {
    // Not every browser iterates streams.
    const reader = body.getReader()
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      rest += decoder.decode(chunk.value, { stream: true })
      const blocks = rest.split(/\r?\n\r?\n/)
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const frame = parseFrame(block)
        if (frame) yield frame
      }
    }
  } catch {
    // A broken connection; the caller goes on behind the last position.
  }
}

function parseFrame(block: string): Frame | undefined {
  let id: string | null = null
  let event = 'message'
  const data: string[] = []
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':')
    const value = line.slice(colon + 1).replace(/^ /, '')
    const name = line.slice(0, colon)
    if (name === 'id') id = value
    else if (name === 'event') event = value
    else if (name === 'data') data.push(value)
  }
  return data.length === 0 ? undefined : { id, event, data: data.join('\n') }
}
