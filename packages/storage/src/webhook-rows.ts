import type { WebhookEvent } from '@koco/core'
import type { Delivery, Webhook, WebhookChange, WebhookPause } from './port/webhooks.ts'

/** How much of what an address has missed it is told. */
export const MISSED_MAX = 10_000

/** A row of `webhooks`, the same in both stores. `events`: each between line breaks, so that a whole one is found in the text. Flags are 0 or 1. */
export type WebhookRow = {
  id: string
  url: string
  username: string
  runs_of: string | null
  flow: string | null
  events: string
  bodies: number
  paused: number
  paused_at: number | null
  paused_because: WebhookPause['because'] | null
  secret: string
  created_at: number
  failing_since: number | null
}

/** A row of `webhook_deliveries`, the same in both stores. `fact`: what happened, so that it is noted once for each address. */
export type DeliveryRow = {
  id: string
  webhook: string
  fact: string
  type: Delivery['type']
  fid: string | null
  lid: string | null
  flow: string | null
  username: string | null
  detail: string | null
  at: number
  state: Delivery['state']
  attempts: number
  next_at: number | null
  last_at: number | null
  last_status: number | null
  problem: string | null
}

/** The row of a webhook. */
export function webhookRow({ user, runsOf, createdAt, failingSince, id, ...rest }: Webhook): WebhookRow {
  const { url, flow, events, bodies, paused, secret } = rest
  const texts = { id, url, username: user, runs_of: runsOf, flow, events: eventText(events), secret }
  return { ...texts, bodies: Number(bodies), ...pauseColumns(paused), created_at: createdAt, failing_since: failingSince }
}

/** The columns that a change sets. */
export function changedColumns({ events, bodies, paused, ...rest }: WebhookChange): Partial<WebhookRow> {
  return {
    ...rest,
    ...(events && { events: eventText(events) }),
    ...(bodies !== undefined && { bodies: Number(bodies) }),
    ...(paused !== undefined && pauseColumns(paused)),
    // It goes on with a clean slate: only what fails from now on tells whether it works.
    ...(paused === null && { failing_since: null }),
  }
}

/** The webhook of a row. */
export function readWebhook(row: WebhookRow): Webhook {
  const { username, runs_of, events, bodies, paused, paused_at, paused_because, created_at, failing_since, ...rest } = row
  return {
    ...rest,
    user: username,
    runsOf: runs_of,
    events: events.split('\n').filter((name) => name !== '') as WebhookEvent[],
    bodies: bodies === 1,
    // One that was paused before it was written down since when says neither.
    paused: paused === 0 ? null : { at: paused_at ?? created_at, because: paused_because ?? 'asked' },
    createdAt: created_at,
    failingSince: failing_since,
  }
}

/** The notice of a row. A new one is due at time 0: at once, however far the clocks of panel and store are apart. */
export function readDelivery({ fact: _fact, username, next_at, last_at, last_status, ...rest }: DeliveryRow): Delivery {
  return { ...rest, user: username, nextAt: next_at === 0 ? rest.at : next_at, lastAt: last_at, lastStatus: last_status }
}

function pauseColumns(paused: WebhookPause | null): Pick<WebhookRow, 'paused' | 'paused_at' | 'paused_because'> {
  return { paused: paused === null ? 0 : 1, paused_at: paused?.at ?? null, paused_because: paused?.because ?? null }
}

function eventText(events: readonly WebhookEvent[]): string {
  return `\n${events.join('\n')}\n`
}
