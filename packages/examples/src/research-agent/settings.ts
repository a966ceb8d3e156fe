import { createOpenAICompatible } from '@ai-sdk/openai-compatible'

/** A model behind an OpenAI-compatible endpoint. */
export type Model = { readonly name: string; readonly provider: string; readonly chat: ReturnType<ReturnType<typeof createOpenAICompatible>['chatModel']> }

/** The model that the environment names; an Error that says what to set when it names none. */
export function modelOf(env: Readonly<Record<string, string | undefined>>): Model {
  const { KODO_LLM_URL: baseURL, KODO_LLM_MODEL: name, KODO_LLM_KEY: apiKey } = env
  if (!baseURL || !name) {
    const missing = [baseURL ? '' : 'KODO_LLM_URL (for example https://api.example.com/v1)', name ? '' : 'KODO_LLM_MODEL'].filter(Boolean).join(' and ')
    throw new Error(`The research agent needs a model: set ${missing}, and KODO_LLM_KEY if the server wants a key, where koco is started; then retry the run.`)
  }
  const provider = new URL(baseURL).host
  return { name, provider, chat: createOpenAICompatible({ name: provider, baseURL, includeUsage: true, ...(apiKey && { apiKey }) }).chatModel(name) }
}
