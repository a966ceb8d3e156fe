import { RefusedError, type Escalation } from '@koco/core'
import type { EscalationStep, LockOptions } from '../context.ts'
import { durationMs } from '../duration.ts'

const NAMES_MAX = 100
const ESCALATIONS_MAX = 10

type People = { readonly assignees?: readonly string[]; readonly roles?: readonly string[] }

/** A lock that is being asked. `user`: whose run it is. `timeoutMs` null: it never expires. */
type AskedLock = { readonly name: string; readonly user: string; readonly askedMs: number; readonly timeoutMs: number | null }

/** Who may answer a lock, checked. RefusedError `bad_call`. */
export function peopleOf(lock: string, { assignees, roles }: Pick<LockOptions<unknown>, 'assignees' | 'roles'>): People {
  return { ...(assignees && { assignees: names(lock, 'assignees', assignees) }), ...(roles && { roles: names(lock, 'roles', roles) }) }
}

/** Who may answer it from when on: each step adds to those before it; where nobody was named, these are the owner of the run. RefusedError `bad_call`. */
export function escalationsOf(lock: AskedLock, first: People, given: LockOptions<unknown>['escalate'] = []): Escalation[] {
  const steps = Array.isArray(given) ? (given as readonly EscalationStep[]) : [given as EscalationStep]
  if (steps.length > ESCALATIONS_MAX) throw refused(lock, `has at most ${ESCALATIONS_MAX} steps`)
  const isOfOwner = (first.assignees ?? []).length === 0 && (first.roles ?? []).length === 0
  let before = { at: lock.askedMs / 1000, assignees: isOfOwner ? [lock.user] : (first.assignees ?? []), roles: first.roles ?? [] }
  return steps.map((step) => (before = next(lock, before, step)))
}

function next(lock: AskedLock, before: Escalation, step: EscalationStep): Escalation {
  const { assignees = [], roles = [] } = peopleOf(lock.name, step)
  if (assignees.length === 0 && roles.length === 0) throw refused(lock, 'names nobody: give each step assignees or roles')
  const afterMs = durationMs(step.after, `escalation of lock "${lock.name}"`)
  if (lock.timeoutMs !== null && afterMs >= lock.timeoutMs)
    throw refused(lock, 'comes after its timeout: give it a shorter `after`, or the lock a longer `timeout`')
  const at = (lock.askedMs + afterMs) / 1000
  if (at <= before.at) throw refused(lock, 'must have steps with growing times')
  return { at, assignees: union(before.assignees, assignees), roles: union(before.roles, roles) }
}

function union(some: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...some, ...more])]
}

function names(lock: string, what: string, given: unknown): string[] {
  if (Array.isArray(given) && given.length <= NAMES_MAX && given.every((one) => typeof one === 'string' && one !== '')) return given as string[]
  throw new RefusedError(`The ${what} of lock "${lock}" must be a list of at most ${NAMES_MAX} names.`, { code: 'bad_call' })
}

function refused({ name }: AskedLock, why: string): RefusedError {
  return new RefusedError(`The escalation of lock "${name}" ${why}.`, { code: 'bad_call' })
}
