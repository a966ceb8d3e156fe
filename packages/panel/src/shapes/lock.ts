import type { LockState } from '@koco/core'
import { z } from 'zod'
import { json } from './json.ts'

/** A question of a run to people. */
export const Lock = z
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
    flow: z.string(),
    user: z.string(),
    summary: z.string(),
  })
  .meta({ id: 'Lock', description: 'A question of a run to people, and its answer.' })

/** The JSON of a lock with the run that asks. */
export function lockJson(lock: LockState, run: { readonly flow: string; readonly user: string; readonly summary: string }): z.infer<typeof Lock> {
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
    flow: run.flow,
    user: run.user,
    summary: run.summary,
  }
}
