import { z } from 'zod'

/** What the tools take. */
export const toolInputs = {
  read_page: z.object({ url: z.string().describe('An http or https address on one of the allowed hosts') }),
  take_note: z.object({ note: z.string().min(1).max(4000), source: z.string() }),
}

/** The tools that the agent has. */
export type ToolName = keyof typeof toolInputs

const PAGE_BYTES_MAX = 1024 * 1024
const TEXT_CHARS_MAX = 20_000
const REDIRECTS_MAX = 5

/** The text of a page on an allowed host (`name` or `name:port`). Errors say what was refused, so that the model can choose better. */
export async function readPage(url: string, hosts: readonly string[], signal: AbortSignal): Promise<string> {
  let at = allowed(url, hosts)
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    const response = await fetch(at, { signal, redirect: 'manual', headers: { accept: 'text/html,text/plain' } })
    const location = response.headers.get('location')
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel()
      at = allowed(new URL(location, at).href, hosts)
    } else if (response.ok) return plainText(await bounded(response)).slice(0, TEXT_CHARS_MAX)
    else throw new Error(`${at.href} answered ${response.status}`)
  }
  throw new Error(`${url} redirects more than ${REDIRECTS_MAX} times`)
}

function allowed(url: string, hosts: readonly string[]): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) throw new Error(`"${url}" is no http address`)
  if (!hosts.includes(parsed.host)) throw new Error(`${parsed.host} is not allowed; allowed hosts: ${hosts.join(', ')}`)
  return parsed
}

async function bounded(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    text += decoder.decode(chunk, { stream: true })
    if (bytes > PAGE_BYTES_MAX) break
  }
  return text
}

function plainText(page: string): string {
  return page
    .replace(/<(script|style|noscript)\b[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|nbsp|#39);/g, (entity) => ENTITIES[entity] ?? ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&nbsp;': ' ', '&#39;': "'" }
