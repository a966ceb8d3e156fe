import { ProblemError } from '../server/problems.ts'

const NEWLINE = 0x0a

/** A line of text and its number, counted from 1. */
export type Line = { readonly number: number; readonly text: string }

/**
 * The lines of a stream of bytes, empty ones left out; no more than one line is held at a time. Problem 413 `import_too_large` for a stream or a line that is too long, 422 `bad_import` for what
 * is no UTF-8.
 */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>, max: { readonly bytes: number; readonly lineBytes: number }): AsyncGenerator<Line> {
  let parts: Uint8Array[] = []
  let held = 0
  let total = 0
  let number = 1
  for await (const chunk of bytes) {
    total += chunk.length
    if (total > max.bytes) throw tooLarge(`The file is larger than ${max.bytes} bytes, the limit of this installation.`)
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const text = end === from && parts.length === 0 ? '' : decoded([...parts, chunk.subarray(from, end)], number)
      if (text !== '') yield { number, text }
      parts = []
      held = 0
      number += 1
      from = end + 1
    }
    held += chunk.length - from
    if (held > max.lineBytes) throw tooLarge(`Line ${number} is longer than ${max.lineBytes} bytes; no line of an exported run is.`)
    if (from < chunk.length) parts.push(chunk.subarray(from))
  }
  const last = decoded(parts, number)
  if (last !== '') yield { number, text: last }
}

function decoded(parts: readonly Uint8Array[], number: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts)).trim()
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new ProblemError(422, 'bad_import', `Line ${number} is no UTF-8 text. Import a file that "Export as JSON lines" or koco runs export has written.`)
  }
}

function tooLarge(detail: string): ProblemError {
  return new ProblemError(413, 'import_too_large', detail)
}
