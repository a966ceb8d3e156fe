import type { Escalation, RunEvent } from './event.ts'
import type { Json } from './json.ts'
import { isEnded } from './status.ts'

/** `closed`: its run ended before anybody answered. */
export type LockStatus = 'open' | 'answered' | 'expired' | 'closed'

/** A question of a run to people, folded from its events. Times are unix seconds. */
export type LockState = {
  readonly fid: string
  readonly lid: string
  readonly name: string
  readonly form: Json
  readonly data: Json
  readonly askedAt: number
  readonly expiresAt: number | null
  readonly status: LockStatus
  readonly answer: Json
  readonly answeredBy: string | null
  readonly answeredAt: number | null
  /** Why it was answered so, in the words of who did. */
  readonly reason: string | null
  /** Who may answer besides operators: these users, and who has one of these roles; when both are empty, the owner of the run. */
  readonly assignees: readonly string[]
  readonly roles: readonly string[]
  /** Who may answer later on while nobody does, and how many of these steps have been taken. */
  readonly escalations: readonly Escalation[]
  readonly escalated: number
}

/** Folds an event into the locks of its run; pure. Gives the locks that changed, so that a store writes only these. */
export function evolveLocks(locks: ReadonlyMap<string, LockState>, event: RunEvent): LockState[] {
  if (event.kind === 'lock') return locks.has(event.data.lid) ? [] : [askedLock(event)]
  if (event.kind === 'lease') {
    const lock = locks.get(event.data.lid)
    if (!lock) return []
    if ('expired' in event.data) return [{ ...lock, status: 'expired', answeredAt: event.data.at }]
    const { answer, by: answeredBy, at: answeredAt, reason = null } = event.data
    return [{ ...lock, status: 'answered', answer, answeredBy, answeredAt, reason }]
  }
  if (event.kind === 'escalate') {
    const lock = locks.get(event.data.lid)
    const { assignees, roles, step: escalated } = event.data
    return lock?.status === 'open' ? [{ ...lock, assignees, roles, escalated }] : []
  }
  if (event.kind === 'status' && isEnded(event.data.status)) return withStatus(locks, 'open', 'closed')
  if (event.kind === 'attempt' && event.data.reason === 'retry') return withStatus(locks, 'closed', 'open')
  return []
}

function withStatus(locks: ReadonlyMap<string, LockState>, from: LockStatus, to: LockStatus): LockState[] {
  return [...locks.values()].filter((lock) => lock.status === from).map((lock) => ({ ...lock, status: to }))
}

function askedLock(event: RunEvent & { readonly kind: 'lock' }): LockState {
  const { lid, name, form, data, expires_at: expiresAt, assignees = [], roles = [], escalations = [] } = event.data
  const asked = { fid: event.fid, lid, name, form, data, askedAt: event.ts, expiresAt, assignees, roles, escalations, escalated: 0 }
  return { ...asked, status: 'open', answer: null, answeredBy: null, answeredAt: null, reason: null }
}
