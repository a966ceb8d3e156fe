import { WEBHOOK_EVENTS } from '@koco/core'
import type * as api from '@koco/core/api'
import type { Delivery, Webhook } from '@koco/storage'
import { z } from 'zod'
import { shapeOf } from './shape-of.ts'

const seconds = z.number().describe('unix seconds')

/** A webhook as the API shows it. */
export const WebhookShape = shapeOf<api.Webhook>()(
  z
    .object({
      id: z.string(),
      url: z.string(),
      user: z.string().describe('who made it'),
      runs_of: z.string().nullable().describe("only of this user's runs; null: of all"),
      flow: z.string().nullable().describe("only of this flow's runs; null: of all"),
      events: z.array(z.enum(WEBHOOK_EVENTS)),
      bodies: z.boolean().describe('whether inputs, results and what questions show go along'),
      paused: z.boolean().describe('nothing is noted for it and nothing sent; `missed` on resuming delivers what it missed'),
      paused_at: seconds.nullable().describe('since when it is paused'),
      paused_because: z.enum(['asked', 'gone', 'failing']).nullable().describe('somebody asked for it; it answered 410; it failed for five days'),
      created_at: seconds,
      failing_since: seconds.nullable().describe('since when notices to it have been given up; null when the last one arrived'),
    })
    .meta({ id: 'Webhook', description: 'An address that is told of events: CloudEvents 1.0, signed as Standard Webhooks says.' }),
)

/** A notice as the API shows it. */
export const DeliveryShape = shapeOf<api.WebhookDelivery>()(
  z
    .object({
      id: z.string().describe('its webhook-id, the same however often it is sent'),
      type: z.enum([...WEBHOOK_EVENTS, 'test']),
      fid: z.string().nullable(),
      lid: z.string().nullable(),
      flow: z.string().nullable(),
      user: z.string().nullable(),
      detail: z.string().nullable().describe('the name of the question, the position of the dead event, the code of the alarm, the id of the disabled webhook'),
      at: seconds,
      state: z.enum(['waiting', 'delivered', 'failed']),
      attempts: z.number().int(),
      next_at: seconds.nullable().describe('when it is sent next; null when it is not'),
      last_at: seconds.nullable(),
      last_status: z.number().int().nullable().describe('the HTTP status of the last answer; null when there was none'),
      problem: z.string().nullable().describe('why the last sending was no success'),
    })
    .meta({ id: 'WebhookDelivery', description: 'A notice to a webhook, and how its sending went.' }),
)

/** The JSON of a webhook; never its secret. */
export function webhookJson({ id, url, user, runsOf, flow, events, bodies, paused, createdAt, failingSince }: Webhook): z.infer<typeof WebhookShape> {
  const pause = { paused: paused !== null, paused_at: paused?.at ?? null, paused_because: paused?.because ?? null }
  return { id, url, user, runs_of: runsOf, flow, events: [...events], bodies, ...pause, created_at: createdAt, failing_since: failingSince }
}

/** The JSON of a notice. */
export function deliveryJson({ webhook: _webhook, nextAt, lastAt, lastStatus, ...delivery }: Delivery): z.infer<typeof DeliveryShape> {
  return { ...delivery, next_at: nextAt, last_at: lastAt, last_status: lastStatus }
}
