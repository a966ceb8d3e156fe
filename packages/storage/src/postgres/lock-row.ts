import type { LockState } from '@koco/core'
import { parseJson, toJsonText } from '@koco/core'
import type { Selectable } from 'kysely'
import type { LockAnswer } from '../port/locks.ts'
import type { ExecutionTables, LockTable } from './schema.ts'

/** A row of `locks`. */
export type LockRow = Selectable<LockTable>

/** The lock of a row. */
export function toLock(row: LockRow): LockState {
  const { fid, lid, name, status } = row
  return {
    fid,
    lid,
    name,
    form: parseJson(row.form),
    data: parseJson(row.data),
    askedAt: row.asked_at,
    expiresAt: row.expires_at,
    status,
    answer: parseJson(row.answer),
    answeredBy: row.answered_by,
    answeredAt: row.answered_at,
    reason: row.reason,
    assignees: row.assignees,
    roles: row.roles,
    escalations: row.escalations ?? [],
    escalated: row.escalated ?? 0,
  }
}

/** The answer of a row of `lock_answers`. */
export function toAnswer({ lid, answer, answered_by: by, answered_at: at, reason }: ExecutionTables['lock_answers']): LockAnswer {
  return { lid, answer: parseJson(answer), by, at, ...(reason !== null && { reason }) }
}

/** The row of a lock. */
export function fromLock(lock: LockState): LockRow {
  const { fid, lid, name, form, data, askedAt, expiresAt, status, answer, answeredBy, answeredAt, reason, assignees, roles, escalations, escalated } = lock
  return {
    fid,
    lid,
    name,
    form: toJsonText(form),
    data: toJsonText(data),
    asked_at: askedAt,
    expires_at: expiresAt,
    status,
    answer: toJsonText(answer),
    answered_by: answeredBy,
    answered_at: answeredAt,
    reason,
    assignees: [...assignees],
    roles: [...roles],
    escalations: escalations.length === 0 ? null : [...escalations],
    escalated,
  }
}
