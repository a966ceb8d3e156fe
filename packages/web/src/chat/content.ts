import { isJsonObject, type Json } from '@koco/core'

const TEXT_TYPES: ReadonlySet<Json | undefined> = new Set(['', 'text', 'input_text', 'output_text', undefined])

/** The text of a message's content: its text parts, joined. */
export function textOf(content: Json): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return (content as readonly Json[])
    .map((part) => {
      if (typeof part === 'string') return part
      return isJsonObject(part) && TEXT_TYPES.has(part['type']) && typeof part['text'] === 'string' ? part['text'] : ''
    })
    .filter((text) => text !== '')
    .join(' ')
}

/** The pictures in a message that lie in it whole; those that would have to be fetched are left out. */
export function imagesOf(content: Json): string[] {
  if (!Array.isArray(content)) return []
  return (content as readonly Json[]).flatMap((part) => {
    if (!isJsonObject(part) || part['type'] !== 'image_url' || !isJsonObject(part['image_url'])) return []
    const { url } = part['image_url']
    return typeof url === 'string' && /^data:image\/(png|jpeg|gif|webp);base64,/.test(url) ? [url] : []
  })
}

/** A call of a tool in a message. */
export type ToolCall = { readonly id: string; readonly name: string; readonly input: Json }

/** The calls that a message of the assistant makes. */
export function callsOf(calls: Json | undefined): ToolCall[] {
  if (!Array.isArray(calls)) return []
  return (calls as readonly Json[]).flatMap((call) => {
    if (!isJsonObject(call) || typeof call['id'] !== 'string' || !isJsonObject(call['function'])) return []
    const { name, arguments: given } = call['function']
    return typeof name === 'string' ? [{ id: call['id'], name, input: parsed(given ?? null) }] : []
  })
}

function parsed(given: Json): Json {
  if (typeof given !== 'string') return given
  try {
    return JSON.parse(given) as Json
  } catch {
    // A half-written call is shown as it is.
    return given
  }
}
