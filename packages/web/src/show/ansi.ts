/** A piece of terminal text in one style; colours are 0 to 15, the terminal's palette. */
export type AnsiSpan = {
  readonly text: string
  readonly color: number | null
  readonly background: number | null
  readonly bold: boolean
  readonly dim: boolean
  readonly underline: boolean
}

type Style = Omit<AnsiSpan, 'text'>

const PLAIN: Style = { color: null, background: null, bold: false, dim: false, underline: false }
// CSI sequences, OSC sequences (titles, links: ended by BEL or ST) and lone escapes.
// oxlint-disable-next-line eslint/no-control-regex -- escapes are what this looks for
const ESCAPE = /\u001b\[([0-9;:]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-_]?/g
// Control characters but tab, and the marks that reorder text (bidi): they could make a log say what it does not.
// oxlint-disable-next-line eslint/no-control-regex -- control characters are what this looks for
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const SPANS_MAX = 400

/** Splits one line of terminal output into styled spans; every other escape, control and bidi character is dropped. At most 400 spans: the rest is plain. */
export function ansiSpans(line: string): AnsiSpan[] {
  const spans: AnsiSpan[] = []
  let style = PLAIN
  let from = 0
  const add = (text: string) => {
    const safe = text.replace(UNSAFE, '')
    if (safe !== '') spans.push({ text: safe, ...style })
  }
  for (const match of line.matchAll(ESCAPE)) {
    add(line.slice(from, match.index))
    from = match.index + match[0].length
    if (match[2] === 'm') style = restyle(style, match[1] ?? '')
    if (spans.length >= SPANS_MAX) break
  }
  add(line.slice(from).replace(ESCAPE, ''))
  return spans
}

/** The text of a line without styles, escapes, control and bidi characters. */
export function plainText(line: string): string {
  return line.replace(ESCAPE, '').replace(UNSAFE, '')
}

function restyle(style: Style, codes: string): Style {
  let next = style
  const numbers = codes === '' ? [0] : codes.split(/[;:]/).map(Number)
  for (let index = 0; index < numbers.length; index++) {
    const code = numbers[index] ?? 0
    if (code === 38 || code === 48) {
      // An extended colour takes its arguments with it; of the 256 only the first 16 are shown.
      const palette = numbers[index + 1] === 5
      const chosen = palette ? (numbers[index + 2] ?? 16) : 16
      if (chosen < 16) next = code === 38 ? { ...next, color: chosen } : { ...next, background: chosen }
      index += palette ? 2 : 4
    } else next = apply(next, code)
  }
  return next
}

function apply(style: Style, code: number): Style {
  if (code === 0) return PLAIN
  if (code === 1) return { ...style, bold: true }
  if (code === 2) return { ...style, dim: true }
  if (code === 22) return { ...style, bold: false, dim: false }
  if (code === 4 || code === 24) return { ...style, underline: code === 4 }
  if (code === 39) return { ...style, color: null }
  if (code === 49) return { ...style, background: null }
  return coloured(style, code)
}

function coloured(style: Style, code: number): Style {
  if (code >= 30 && code <= 37) return { ...style, color: code - 30 }
  if (code >= 90 && code <= 97) return { ...style, color: code - 82 }
  if (code >= 40 && code <= 47) return { ...style, background: code - 40 }
  return code >= 100 && code <= 107 ? { ...style, background: code - 92 } : style
}
