import type { WebhookEvent } from '@koco/core'
import type { Page } from './page.ts'

/** Since when an address is told nothing, and why: somebody `asked`, it answered that it is `gone`, or it was `failing` for too long. */
export type WebhookPause = { readonly at: number; readonly because: 'asked' | 'gone' | 'failing' }

/**
 * An address that is told of events. `user`: who made it. `runsOf`: only of this user's runs, null: of all; `flow` likewise. `secret`: sealed, the store cannot read it. `bodies`: inputs and results go along. Nothing is noted
 * for it while it is paused. `failingSince`: since when notices to it have been given up; the first that arrives clears it. Times are unix seconds.
 */
export type Webhook = {
  readonly id: string
  readonly url: string
  readonly user: string
  readonly runsOf: string | null
  readonly flow: string | null
  readonly events: readonly WebhookEvent[]
  readonly bodies: boolean
  readonly paused: WebhookPause | null
  readonly secret: string
  readonly createdAt: number
  readonly failingSince: number | null
}

/** What may change of a webhook. */
export type WebhookChange = Partial<Pick<Webhook, 'url' | 'flow' | 'events' | 'bodies' | 'paused' | 'secret'>>

/**
 * A notice to one address: `id` is the same however often it is sent. `fid`, `lid`, `flow`, `user`: what it is about. `detail`: a code or a name, never a body. `attempts`: how often it was sent; `lastStatus`: the
 * HTTP status of the last answer, null for none, and why that was no success in `problem`.
 */
export type Delivery = {
  readonly id: string
  readonly webhook: string
  readonly type: WebhookEvent | 'test'
  readonly fid: string | null
  readonly lid: string | null
  readonly flow: string | null
  readonly user: string | null
  readonly detail: string | null
  readonly at: number
  readonly state: 'waiting' | 'delivered' | 'failed'
  readonly attempts: number
  /** When it is sent next; null when it is not. */
  readonly nextAt: number | null
  readonly lastAt: number | null
  readonly lastStatus: number | null
  readonly problem: string | null
}

/** What happened that no run tells of. `flow`: an address that looks at one flow hears of this one only. */
export type WebhookAlarm = {
  readonly type: Extract<WebhookEvent, `alarm.${string}` | `flow.${string}` | `webhook.${string}`>
  readonly fact: string
  readonly flow: string | null
  readonly detail: string | null
  readonly at: number
}

/** How a sending went: `delivered`, `failed` for good, or `waiting` for `nextAt`. */
export type DeliveryOutcome = Pick<Delivery, 'state' | 'nextAt' | 'lastStatus' | 'problem'>

/**
 * The addresses and what they are told. The store notes ends of runs, questions and dead events by itself, in the transaction that stores them: whatever dies, no notice is lost, and none is noted twice.
 */
export interface WebhookStore {
  create(webhook: Webhook): Promise<void>
  get(id: string): Promise<Webhook | undefined>
  /** All, oldest first; with a user: those that this user made. */
  list(user?: string): Promise<readonly Webhook[]>
  change(id: string, change: WebhookChange): Promise<boolean>
  /** With all its notices. */
  delete(id: string): Promise<boolean>
  /** Notes the questions that have come to be due by `at`. */
  noteDue(at: number): Promise<void>
  /** Notes an alarm for whoever wants to know, also when it is of a flow; once for each `fact`. */
  noteAlarm(alarm: WebhookAlarm): Promise<void>
  /**
   * Has an address that is not paused told of what it has missed since `since`: the last end of each run, questions that are still open or have expired, and dead events, at most 10,000 and the newest of them; and sends
   * again what was given up since then. Gives how many notices that are.
   */
  catchUp(id: string, since: number, at: number): Promise<number>
  /** Notes a test for one address; gives its id. */
  noteTest(webhook: string, at: number): Promise<string>
  /** The notices to an address that are to be sent by `at`, the earliest first. */
  due(webhook: string, at: number, limit: number): Promise<readonly Delivery[]>
  /** Takes a due notice for one sending until `until`; false when somebody else has. Not settled by then, it is due again. */
  claim(id: string, attempts: number, until: number): Promise<boolean>
  /** Notes how the sending of that number went, and what it says of the address. A later sending's word stands. */
  settle(id: string, attempts: number, at: number, outcome: DeliveryOutcome): Promise<void>
  /** The notices to an address, newest first. RefusedError `bad_cursor`. */
  deliveries(webhook: string, query: { readonly state?: Delivery['state']; readonly cursor?: string; readonly limit: number }): Promise<Page<Delivery>>
  /** Sends a notice again, from the first attempt on; false when there is none of this id. */
  resend(webhook: string, id: string, at: number): Promise<boolean>
  /** How many notices wait, and how many addresses fail. */
  totals(): Promise<{ readonly waiting: number; readonly failing: number }>
  /** Takes away notices from before `before` that do not wait; gives how many. */
  prune(before: number): Promise<number>
}
