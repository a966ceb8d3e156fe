import { isJsonObject, type Json } from '@koco/core'

/** How much of the JSON text of inputs is looked at for the short form; the text may be cut there. */
export const SHORT_FROM_CHARS = 2_000
const SHORT_CHARS_MAX = 120
const VALUE_CHARS_MAX = 40

const TURN_IDS: ReadonlySet<string> = new Set(['session_id', 'revision'])

const SECRET = /pass(word|phrase)?$|secret|token|api_?key|credential/i

/**
 * Inputs in one line by which people tell runs of a flow apart: `city=Lisbon, days=3`. Takes the beginning of their JSON text, SHORT_FROM_CHARS of it at most. What is named like a
 * secret is not shown, lists and objects only by their brackets. A turn of a conversation is what was said in it, without the ids of its session. Empty when there is nothing to show.
 */
export function inputsInShort(text: string): string {
  const inputs = readStart(text.slice(0, SHORT_FROM_CHARS))
  if (!isJsonObject(inputs)) return shortValue(inputs) ?? ''
  const isTurn = typeof inputs['session_id'] === 'string' && typeof inputs['revision'] === 'number'
  if (isTurn && typeof inputs['said'] === 'string' && inputs['said'] !== '') return cut(oneLine(inputs['said']), SHORT_CHARS_MAX)
  const parts: string[] = []
  let chars = 0
  for (const [name, value] of Object.entries(inputs)) {
    if (isTurn && TURN_IDS.has(name)) continue
    const shown = SECRET.test(name) ? '•••' : shortValue(value)
    if (shown === undefined) continue
    const part = `${name}=${shown}`
    chars += part.length + 2
    if (parts.length > 0 && chars > SHORT_CHARS_MAX) return `${parts.join(', ')}, …`
    parts.push(cut(part, SHORT_CHARS_MAX))
  }
  return parts.join(', ')
}

/** What the beginning of a JSON text says: the whole when it is whole, else the members of the object that are whole, a text in which the cut lies included. */
function readStart(text: string): Json {
  for (const end of ['', '"}', undefined]) {
    try {
      return JSON.parse(end === undefined ? `${text.slice(0, lastMemberEnd(text))}}` : text + end) as Json
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  return null
}

function lastMemberEnd(text: string): number {
  let depth = 0
  let last = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (quoted) {
      if (char === '\\') at++
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') depth--
    else if (char === ',' && depth === 1) last = at
  }
  return last
}

function shortValue(value: Json): string | undefined {
  if (value === null || value === '') return undefined
  if (typeof value === 'string') return cut(oneLine(value), VALUE_CHARS_MAX)
  if (Array.isArray(value)) return value.length === 0 ? undefined : '[…]'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return Object.keys(value).length === 0 ? undefined : '{…}'
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

function cut(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars - 1).toWellFormed()}…`
}
