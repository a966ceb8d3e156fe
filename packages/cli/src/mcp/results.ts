import type { CallToolResult } from '@modelcontextprotocol/server'
import { KocoApiError } from '../client/request.ts'

const TEXT_MAX = 48_000
const STRING_MAX = 4_000
const SHORT_MAX = 300

/** What a tool gives back: JSON text of at most about 48,000 characters. Long texts within are cut, and say by how much. */
function result(value: object): CallToolResult {
  const text = [STRING_MAX, SHORT_MAX].map((max) => textOf(value, max)).find((one) => one.length <= TEXT_MAX)
  return { content: [{ type: 'text', text: text ?? `${textOf(value, SHORT_MAX).slice(0, TEXT_MAX)} … (too large to be shown whole)` }] }
}

/** As many of these as fit into a result, at least one. */
export function fitting<T>(items: readonly T[]): readonly T[] {
  let size = 0
  const count = items.findIndex((item) => (size += textOf(item, STRING_MAX).length) > TEXT_MAX - 1_000)
  return count === -1 ? items : items.slice(0, Math.max(1, count))
}

/** Does the work of a tool; what goes wrong is told as a sentence with what does not fit, and the model can mend it. */
export async function attempted(work: () => Promise<object>): Promise<CallToolResult> {
  try {
    return result(await work())
  } catch (error) {
    if (!(error instanceof KocoApiError)) throw error
    const fields = error.fields.map(({ path, message }) => `${path === '' ? 'The value' : path}: ${message}.`)
    return { isError: true, content: [{ type: 'text', text: [error.message, ...fields].join('\n') }] }
  }
}

function textOf(value: unknown, max: number): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'string' && part.length > max ? `${part.slice(0, max)} … (${part.length - max} more characters)` : part,
  )
}
