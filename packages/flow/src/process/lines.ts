import { StringDecoder } from 'node:string_decoder'

const LINE_CHARS_MAX = 128 * 1024

/** Cuts a stream of bytes into lines; one that is too long is given in parts. */
export function createLines(take: (line: string) => void): { write(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const push = (text: string): void => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') take(line.endsWith('\r') ? line.slice(0, -1) : line)
    while (rest.length > LINE_CHARS_MAX) {
      take(rest.slice(0, LINE_CHARS_MAX))
      rest = rest.slice(LINE_CHARS_MAX)
    }
  }
  return {
    write: (chunk) => push(decoder.write(chunk)),
    end() {
      push(decoder.end())
      if (rest.trim() !== '') take(rest)
      rest = ''
    },
  }
}

/** The last `max` characters of what was added. */
export function createTail(max: number): { add(text: string): void; text(): string } {
  let kept = ''
  return {
    add(text) {
      kept = (kept + text).slice(-max)
    },
    text: () => kept.toWellFormed(),
  }
}
