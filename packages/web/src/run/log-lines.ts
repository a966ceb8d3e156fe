/** One line of a run's output. */
export type OutputLine = { readonly kind: string; readonly text: string }

const LINE_CHARS_MAX = 5000

/** The lines of what was printed, each with its stream; a text's own last line break makes no empty line. A very long line is cut. */
export function logLines(outputs: readonly OutputLine[]): OutputLine[] {
  return outputs.flatMap(({ kind, text }) => {
    const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split(/\r?\n/)
    return lines.map((line) => ({ kind, text: line.length > LINE_CHARS_MAX ? `${line.slice(0, LINE_CHARS_MAX)} … (${line.length} characters)` : line }))
  })
}
