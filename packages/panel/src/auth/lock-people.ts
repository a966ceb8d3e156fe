import type { LockState } from '@koco/core'
import { can, type Principal } from './permissions.ts'

type People = Pick<LockState, 'assignees' | 'roles'>

/** True when a question is put to this person: by name, by role, or because the run is theirs and it names nobody. */
export function isPutTo(me: Principal, { assignees, roles }: People, run: { readonly user: string }): boolean {
  if (assignees.length === 0 && roles.length === 0) return run.user === me.user
  return assignees.includes(me.user) || roles.includes(me.role)
}

/** True when this person may answer: it is put to them and their role allows answers, or they are an operator. */
export function mayAnswer(me: Principal, people: People, run: { readonly user: string }): boolean {
  if (!can(me, 'locks.answer')) return false
  return me.role === 'operator' || isPutTo(me, people, run)
}

/** True when this person may see the question: they may see the run, or it is put to them. */
export function maySee(me: Principal, people: People, run: { readonly user: string }): boolean {
  return can(me, 'locks.read', run) || isPutTo(me, people, run)
}

/** Who may answer, in words. */
export function answerers({ assignees, roles }: People, run: { readonly user: string }): string {
  if (assignees.length === 0 && roles.length === 0) return `${run.user} or an operator`
  const named = [...assignees, ...roles.filter((role) => role !== 'operator').map((role) => `anybody of role ${role}`), 'an operator']
  return named.length === 1 ? (named[0] ?? '') : `${named.slice(0, -1).join(', ')} or ${named.at(-1) ?? ''}`
}
