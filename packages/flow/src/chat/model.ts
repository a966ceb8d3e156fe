import type { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { RefusedError, type TokenCounts } from '@koco/core'

/** A model behind an OpenAI-compatible endpoint. `url` ends where `/chat/completions` begins; `provider` is how it is called in events, default the host. */
export type ChatModel = { readonly url: string; readonly name: string; readonly key?: string; readonly provider?: string }

/** A model ready to be asked. */
export type OpenModel = { readonly provider: string; readonly name: string; readonly chat: ReturnType<ReturnType<typeof createOpenAICompatible>['chatModel']> }

type Environment = Readonly<Record<string, string | undefined>>

/** The model that `KODO_LLM_URL`, `KODO_LLM_MODEL` and `KODO_LLM_KEY` name. RefusedError `no_model` that says what to set. `wanted`: another model of the same endpoint. */
export function modelOf(env: Environment, wanted: string | undefined): ChatModel {
  const { KODO_LLM_URL: url, KODO_LLM_MODEL: standard, KODO_LLM_KEY: key } = env
  const name = wanted ?? standard
  if (!url || !name) {
    const missing = [url ? '' : 'KODO_LLM_URL (for example https://api.example.com/v1)', name ? '' : 'KODO_LLM_MODEL'].filter(Boolean).join(' and ')
    throw new RefusedError(`The chat needs a model: set ${missing}, and KODO_LLM_KEY if the server wants a key, where koco is started; then send it again.`, {
      code: 'no_model',
    })
  }
  return { url, name, ...(key && { key }) }
}

/** Opens a model. The library is loaded at the first use: most processes never ask a model. */
export async function openModel({ url, name, key, provider = new URL(url).host }: ChatModel): Promise<OpenModel> {
  const { createOpenAICompatible: create } = await import('@ai-sdk/openai-compatible')
  return { name, provider, chat: create({ name: provider, baseURL: url, includeUsage: true, ...(key && { apiKey: key }) }).chatModel(name) }
}

/** Counts as the library gives them; what a server left out is undefined. */
export type LibraryUsage = {
  readonly inputTokens: number | undefined
  readonly outputTokens: number | undefined
  readonly inputTokenDetails: { readonly cacheReadTokens: number | undefined; readonly cacheWriteTokens: number | undefined }
  readonly outputTokenDetails: { readonly reasoningTokens: number | undefined }
}

/** The counts in disjoint classes. */
export function tokensOf(usage: LibraryUsage): TokenCounts {
  const cacheRead = usage.inputTokenDetails.cacheReadTokens ?? 0
  const cacheWrite = usage.inputTokenDetails.cacheWriteTokens ?? 0
  const reasoning = usage.outputTokenDetails.reasoningTokens ?? 0
  return {
    input_uncached: Math.max(0, (usage.inputTokens ?? 0) - cacheRead - cacheWrite),
    cache_read: cacheRead,
    cache_write: cacheWrite,
    output: Math.max(0, (usage.outputTokens ?? 0) - reasoning),
    reasoning,
  }
}
