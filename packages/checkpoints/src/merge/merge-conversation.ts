import { commonLength } from '../operations/plan-restore.ts'
import type { Message } from '../port.ts'

/** Two conversations that went on differently after the first `common` messages. */
export type ConversationConflict = { readonly common: number; readonly ours: readonly Message[]; readonly theirs: readonly Message[] }

/** How they become one: one side's, or ours and then what they said. */
export type ConversationResolution = 'ours' | 'theirs' | 'both'

/** Merges two conversations by what their common ancestor has: what one side alone changed is taken; else the rule decides, and without one it is a conflict. */
export function mergeConversation(
  base: readonly Message[],
  ours: readonly Message[],
  theirs: readonly Message[],
  rule: ConversationResolution | undefined,
): { readonly messages: readonly Message[] } | { readonly conflict: ConversationConflict } {
  const common = commonLength(ours, theirs)
  if (same(theirs, base) || (common === theirs.length && common === ours.length)) return { messages: ours }
  if (same(ours, base)) return { messages: theirs }
  if (rule === 'ours') return { messages: ours }
  if (rule === 'theirs') return { messages: theirs }
  if (rule === 'both') return { messages: [...ours, ...theirs.slice(common)] }
  return { conflict: { common, ours: ours.slice(common), theirs: theirs.slice(common) } }
}

function same(a: readonly Message[], b: readonly Message[]): boolean {
  return a.length === b.length && commonLength(a, b) === a.length
}
