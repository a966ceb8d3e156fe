import type * as api from '@koco/core/api'
import type { LockState } from '@koco/core'
import { z } from 'zod'
import { isPutTo, mayAnswer } from '../auth/lock-people.ts'
import type { Principal } from '../auth/permissions.ts'
import { json } from './json.ts'
import { shapeOf } from './shape-of.ts'

/** A question of a run to people. */
export const Lock = shapeOf<api.Lock>()(
  z
    .object({
      fid: z.string(),
      lid: z.string(),
      name: z.string(),
      status: z.enum(['open', 'answered', 'expired', 'closed']).describe('`closed`: the run ended before anybody answered'),
      form: json.describe('the JSON Schema of the answer'),
      data: json.describe('what the person needs to decide'),
      asked_at: z.number(),
      expires_at: z.number().nullable(),
      answer: json,
      answered_by: z.string().nullable(),
      answered_at: z.number().nullable(),
      reason: z.string().nullable().describe('why it was answered so'),
      assignees: z.array(z.string()).describe('users who may answer besides operators'),
      roles: z.array(z.string()).describe('roles whose holders may answer; without assignees and roles it is the owner of the run'),
      escalations: z
        .array(z.object({ at: z.number(), assignees: z.array(z.string()), roles: z.array(z.string()) }))
        .describe('who may answer from `at` on while nobody does'),
      escalated: z.number().int().describe('how many of the escalations have happened: they are in assignees and roles'),
      may_answer: z.boolean().describe('whether you may'),
      for_me: z.boolean().describe('whether it is put to you: by name, by role, or because the run is yours and nobody else is named'),
      flow: z.string(),
      user: z.string(),
      summary: z.string(),
    })
    .meta({ id: 'Lock', description: 'A question of a run to people, and its answer.' }),
)

/** The JSON of a lock with the run that asks, for who is asking. */
export function lockJson(
  lock: LockState,
  run: { readonly flow: string; readonly user: string; readonly summary: string },
  me: Principal,
): z.infer<typeof Lock> {
  return {
    fid: lock.fid,
    lid: lock.lid,
    name: lock.name,
    status: lock.status,
    form: lock.form,
    data: lock.data,
    asked_at: lock.askedAt,
    expires_at: lock.expiresAt,
    answer: lock.answer,
    answered_by: lock.answeredBy,
    answered_at: lock.answeredAt,
    reason: lock.reason,
    assignees: [...lock.assignees],
    roles: [...lock.roles],
    escalations: lock.escalations.map(({ at, assignees, roles }) => ({ at, assignees: [...assignees], roles: [...roles] })),
    escalated: lock.escalated,
    may_answer: lock.status === 'open' && mayAnswer(me, lock, run),
    for_me: isPutTo(me, lock, run),
    flow: run.flow,
    user: run.user,
    summary: run.summary,
  }
}
