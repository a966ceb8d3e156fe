import type { Lock } from '@koco/core/api'

/** The parts of the inbox. */
export const TABS = ['for-me', 'to-answer', 'watching', 'answered'] as const

/** One of `TABS`. */
export type InboxTab = (typeof TABS)[number]

/** The open questions of a part, the most urgent first: those put to me, all that I may answer, those that others must answer. */
export function questionsOf(tab: Exclude<InboxTab, 'answered'>, open: readonly Lock[]): Lock[] {
  return open.filter((lock) => belongs(tab, lock)).toSorted((a, b) => (a.expires_at ?? Infinity) - (b.expires_at ?? Infinity) || a.asked_at - b.asked_at)
}

function belongs(tab: Exclude<InboxTab, 'answered'>, { for_me: forMe, may_answer: mayAnswer }: Lock): boolean {
  if (tab === 'for-me') return forMe && mayAnswer
  return tab === 'to-answer' ? mayAnswer : !mayAnswer
}

/** Who may answer, in words: `ann, bob or an operator`. */
export function answerers({ assignees, roles, user }: Pick<Lock, 'assignees' | 'roles' | 'user'>): string {
  const named = [...assignees, ...roles.filter((role) => role !== 'operator').map((role) => `anybody of role ${role}`)]
  const all = [...(named.length === 0 && roles.length === 0 ? [user] : named), 'an operator']
  return all.length === 1 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} or ${all.at(-1) ?? ''}`
}

/** The questions of `now` that were not among those seen before; all of them count as seen after it. Nothing is news at the first look. */
export function createNews(): (now: readonly Lock[]) => Lock[] {
  let seen: Set<string> | undefined
  return (now) => {
    const before = seen
    seen = new Set([...(before ?? []), ...now.map(keyOf)])
    return before ? now.filter((lock) => !before.has(keyOf(lock))) : []
  }
}

/** What tells a question apart from all others. */
export function keyOf({ fid, lid }: Pick<Lock, 'fid' | 'lid'>): string {
  return `${fid}/${lid}`
}
