import { defineChatFlow, defineCompressFlow, type Catalog, type Flow } from '@koco/flow'

/**
 * The flows with those that conversations need, where a model is named (`KODO_LLM_URL`): `chat`, which answers by it, and `chat-compress`, which makes long talks shorter. What the author has defined under
 * these names stays.
 */
export function withChat(flows: readonly Flow[], env: Readonly<Record<string, string | undefined>>): readonly Flow[] {
  if (!env['KODO_LLM_URL']) return flows
  const standard = [
    defineChatFlow({ name: 'chat', summary: 'Answers in conversations by the model of this installation.', version: '1' }),
    defineCompressFlow({ name: 'chat-compress' }),
  ]
  return [...flows, ...standard.filter(({ name }) => !flows.some((flow) => flow.name === name))]
}

/** A catalogue whose flows come with those of conversations, also after they were read again. */
export function chatting(catalog: Catalog, env: Readonly<Record<string, string | undefined>>): Pick<Catalog, 'replace'> {
  return { replace: (flows) => catalog.replace(withChat(flows, env)) }
}
