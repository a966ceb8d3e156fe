import type { WebhookEvent } from '../webhook-event.ts'

/** An address that is told of events. Times are unix seconds. */
export type Webhook = {
  readonly id: string
  readonly url: string
  /** Who made it. */
  readonly user: string
  /** Only of this user's runs; null: of all. */
  readonly runs_of: string | null
  /** Only of this flow's runs; null: of all. */
  readonly flow: string | null
  readonly events: readonly WebhookEvent[]
  /** Whether inputs, results and what questions show go along. */
  readonly bodies: boolean
  /** Nothing is noted for it and nothing sent; what it missed can be delivered when it goes on. */
  readonly paused: boolean
  /** Since when it is paused, and why: somebody `asked`, it answered that it is `gone` (410), or it was `failing` for days. Null while it is not. */
  readonly paused_at: number | null
  readonly paused_because: 'asked' | 'gone' | 'failing' | null
  readonly created_at: number
  /** Since when notices to it have been given up; null when the last one arrived. */
  readonly failing_since: number | null
}

/** A notice to an address; `id` is its `webhook-id`, the same however often it is sent. */
export type WebhookDelivery = {
  readonly id: string
  readonly type: WebhookEvent | 'test'
  readonly fid: string | null
  readonly lid: string | null
  readonly flow: string | null
  readonly user: string | null
  /** The name of the question, the position of the dead event, the code of the alarm, the id of the webhook that was disabled. */
  readonly detail: string | null
  readonly at: number
  readonly state: 'waiting' | 'delivered' | 'failed'
  readonly attempts: number
  /** When it is sent next; null when it is not. */
  readonly next_at: number | null
  readonly last_at: number | null
  /** The HTTP status of the last answer; null when there was none. */
  readonly last_status: number | null
  /** Why the last sending was no success. */
  readonly problem: string | null
}
