import { isJsonObject, type Json } from '@koco/core'
import { textOfContent, type ChatMessage } from '@koco/storage'
import type { AssistantModelMessage, ModelMessage, ToolModelMessage, UserContent } from 'ai'

type Part = Exclude<UserContent, string>[number]
type Call = { readonly id: string; readonly name: string; readonly input: unknown }

/** A talk in the words of the model library. Models refuse talks in which a call has no result or a message nothing in it, so what was interrupted is made whole. */
export function modelMessages(messages: readonly ChatMessage[]): ModelMessage[] {
  const result: ModelMessage[] = []
  const results = new Map(messages.flatMap((message) => (typeof message['tool_call_id'] === 'string' ? [[message['tool_call_id'], message] as const] : [])))
  for (const message of messages) {
    if (message.role === 'user') result.push({ role: 'user', content: userContent(message) })
    else if (message.role === 'system' || message.role === 'developer')
      result.push({ role: 'user', content: `[${message.role}] ${textOfContent(message.content)}` })
    else if (message.role === 'assistant') result.push(...assistantMessages(message, results))
  }
  return result
}

function assistantMessages(message: ChatMessage, results: ReadonlyMap<string, ChatMessage>): ModelMessage[] {
  const text = textOfContent(message.content)
  const calls = callsOf(message['tool_calls'])
  if (text === '' && calls.length === 0) return []
  const content: Exclude<AssistantModelMessage['content'], string> = [
    ...(text === '' ? [] : [{ type: 'text' as const, text }]),
    ...calls.map(({ id, name, input }) => ({ type: 'tool-call' as const, toolCallId: id, toolName: name, input })),
  ]
  if (calls.length === 0) return [{ role: 'assistant', content }]
  const answers: ToolModelMessage['content'] = calls.map(({ id, name }) => {
    const found = results.get(id)
    const value = found ? textOfContent(found.content) : 'Error: interrupted before there was a result.'
    return { type: 'tool-result', toolCallId: id, toolName: name, output: { type: 'text', value } }
  })
  return [
    { role: 'assistant', content },
    { role: 'tool', content: answers },
  ]
}

function callsOf(calls: Json | undefined): Call[] {
  if (!Array.isArray(calls)) return []
  return (calls as readonly Json[]).flatMap((call): Call[] => {
    if (!isJsonObject(call) || typeof call['id'] !== 'string' || !isJsonObject(call['function'])) return []
    const { name, arguments: given } = call['function']
    return typeof name === 'string' ? [{ id: call['id'], name, input: parsed(given) }] : []
  })
}

function parsed(given: Json | undefined): unknown {
  if (typeof given !== 'string') return given ?? {}
  try {
    return JSON.parse(given) as unknown
  } catch {
    return { text: given } // A model's half-written arguments: shown to it as they are.
  }
}

function userContent(message: ChatMessage): UserContent {
  const { content, attachments } = message
  const named = attachmentNames(attachments)
  if (typeof content === 'string') return named === '' ? content : `${content}\n\n${named}`
  const parts = Array.isArray(content) ? (content as readonly Json[]).flatMap(partOf) : []
  if (named !== '') parts.push({ type: 'text', text: named })
  return parts.length > 0 ? parts : ' '
}

function partOf(part: Json): Part[] {
  if (typeof part === 'string') return [{ type: 'text', text: part }]
  const text = textOfContent([part])
  if (text !== '') return [{ type: 'text', text }]
  if (!isJsonObject(part)) return []
  const link = part['image_url']
  const url = isJsonObject(link) ? link['url'] : (link ?? part['url'])
  return typeof url === 'string' && URL.canParse(url) ? [{ type: 'file', mediaType: mediaTypeOf(url), data: new URL(url) }] : []
}

function mediaTypeOf(url: string): string {
  return /^data:([\w.+-]+\/[\w.+-]+)/.exec(url)?.[1] ?? 'image/*'
}

function attachmentNames(attachments: Json | undefined): string {
  if (!Array.isArray(attachments)) return ''
  const names = (attachments as readonly Json[]).flatMap((one) => {
    if (typeof one === 'string') return [one]
    const name = isJsonObject(one) ? (one['path'] ?? one['name']) : null
    return typeof name === 'string' ? [name] : []
  })
  return names.length === 0 ? '' : `[Attached files: ${names.join(', ')}]`
}
