import { RefusedError } from '@koco/core'
import type { AdminStore, Delivery, DeliveryOutcome, ExecutionStore, Webhook } from '@koco/storage'
import { Webhook as Signer } from 'standardwebhooks'
import type { Seal } from '../auth/seal.ts'
import { parseWebhookUrl } from './address.ts'
import { noticeBody } from './notice.ts'
import { post, type Posted } from './post.ts'

/** How webhooks are sent. `isPrivateAllowed`: to private addresses and over http too. `timeoutMs`: for one sending. `retriesS`: how long to wait after each sending that did not arrive; after the last one it is given up. `disableAfterS`: an address to which nothing has arrived for so long is told nothing more. */
export type WebhookSettings = {
  readonly isPrivateAllowed: boolean
  readonly timeoutMs: number
  readonly retriesS: readonly number[]
  readonly disableAfterS: number
}

/** Ten sendings over a day and a half; an address that fails for five days is disabled. */
export const WEBHOOK_DEFAULTS: WebhookSettings = {
  isPrivateAllowed: false,
  timeoutMs: 10_000,
  retriesS: [5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 72_000],
  disableAfterS: 5 * 86_400,
}

/** What sending works with. `random`: 0 to 1, for the jitter. */
export type DeliverDeps = {
  readonly store: ExecutionStore
  readonly admin: Pick<AdminStore, 'users'>
  readonly seal: Seal
  readonly settings: WebhookSettings
  readonly publicUrl: string
  readonly version: string
  readonly clock: () => number
  readonly random: () => number
  readonly signal: AbortSignal
}

const RETRY_AFTER_S_MAX = 3_600

/** Sends a notice once and says how that went. `sent`: which sending it was, counted from 1. */
export async function deliver(delivery: Delivery, webhook: Webhook, sent: number, deps: DeliverDeps): Promise<DeliveryOutcome & { readonly isGone: boolean }> {
  const secret = deps.seal.open(webhook.secret)
  if (secret === undefined) return given('Its secret was sealed by another KODO_SECRET_KEY; give it a new one.')
  if (!(await mayStill(webhook, deps.admin))) return given(`${webhook.user}, who made this webhook, may not be told of this any more.`)
  // The setting may have changed since the address was given.
  const url = allowedUrl(webhook.url, deps.settings)
  if (typeof url === 'string') return given(url)
  const posted = await send(delivery, webhook, url, secret, deps)
  return { ...outcomeOf(posted, delivery, sent, deps), isGone: posted.status === 410 }
}

/** The address, or why nothing goes there. */
function allowedUrl(text: string, { isPrivateAllowed }: WebhookSettings): URL | string {
  try {
    return parseWebhookUrl(text, isPrivateAllowed)
  } catch (error) {
    if (error instanceof RefusedError) return error.message
    throw error
  }
}

async function send(delivery: Delivery, webhook: Webhook, url: URL, secret: string, deps: DeliverDeps): Promise<Posted> {
  const { store, settings, publicUrl, version, clock, signal } = deps
  const body = await noticeBody(delivery, webhook, store, publicUrl)
  const at = new Date(clock())
  const headers = {
    'content-type': 'application/cloudevents+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': `koco/${version}`,
    'webhook-id': delivery.id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Signer(secret).sign(delivery.id, at, body),
  }
  return await post(url, headers, body, { ...settings, signal })
}

/** What somebody may not read here they are not sent either. */
async function mayStill({ user, runsOf, events }: Webhook, admin: Pick<AdminStore, 'users'>): Promise<boolean> {
  const owner = await admin.users.find(user)
  if (!owner?.active) return false
  return owner.role === 'operator' || (owner.role === 'user' && runsOf === owner.name && events.every(isOfRuns))
}

/** True for an event of a run that its owner may be told of. */
export function isOfRuns(event: string): boolean {
  return event.startsWith('run.') || event.startsWith('question.')
}

function outcomeOf({ status, problem, retryAfterS }: Posted, { type }: Delivery, sent: number, { settings, clock, random }: DeliverDeps): DeliveryOutcome {
  if (problem === null) return { state: 'delivered', nextAt: null, lastStatus: status, problem: null }
  const wait = settings.retriesS[sent - 1]
  // A test is there to be seen at once.
  if (wait === undefined || type === 'test' || status === 410) return { state: 'failed', nextAt: null, lastStatus: status, problem }
  const asked = Math.min(retryAfterS ?? 0, RETRY_AFTER_S_MAX)
  return { state: 'waiting', nextAt: clock() / 1000 + Math.max(asked, wait * (0.8 + 0.4 * random())), lastStatus: status, problem }
}

function given(problem: string): DeliveryOutcome & { readonly isGone: boolean } {
  return { state: 'failed', nextAt: null, lastStatus: null, problem, isGone: false }
}
