import type { Message } from '@koco/core/api'
import { textOf } from './content.ts'

/** What the calls of tools gave, by the id of the call. */
export function outputsOf(messages: readonly Message[]): ReadonlyMap<string, string> {
  return new Map(
    messages.flatMap((message) => {
      const { tool_call_id: id } = message
      return message.role === 'tool' && typeof id === 'string' ? [[id, textOf(message.content)] as const] : []
    }),
  )
}
