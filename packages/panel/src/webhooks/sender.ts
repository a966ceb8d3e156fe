import type { Delivery, Webhook } from '@koco/storage'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { DelayWatch } from '../server/delay-watch.ts'
import type { Wakeups } from '../tail/wakeups.ts'
import { createColdWatch } from '../server/cold-watch.ts'
import type { LocalFlows } from '../options.ts'
import { deliver, type DeliverDeps } from './deliver.ts'
import { createUpkeep } from './upkeep.ts'

/** What the sender works with. `lookAgainMs`: how often it looks into the store by itself, for what a lost wake-up missed. */
export type SenderDeps = Omit<DeliverDeps, 'signal'> & {
  readonly wakeups: Wakeups
  readonly delay: Pick<DelayWatch, 'look'>
  readonly catalog: LocalFlows
  readonly registry: Registry
  readonly lookAgainMs: number
  readonly log: { info(fields: object, text: string): void; warn(fields: object, text: string): void }
}

/** Sends what is noted for webhooks while the process lives. */
export type WebhookSender = {
  /** Looks now. */
  wake(): void
  /** Begins no more sendings, waits for those under way at most `graceMs`, then cuts them off: they are sent again, by another panel or the next start. */
  close(graceMs: number): Promise<void>
}

const PAGE = 20
const AT_ONCE = 4
const SOON_MS = 100

/**
 * Sends notices from the store, each webhook's in a lane of its own so that a slow address holds up no other. A notice is claimed for one sending: any number of panels share the work, and what a panel that died had
 * claimed is sent again, under the same id, when the claim has run out. One elected panel also notes alarms and keeps the log short.
 */
export function createWebhookSender(deps: SenderDeps): WebhookSender {
  const { store, wakeups, lookAgainMs, log } = deps
  const [stop, cut] = [new AbortController(), new AbortController()]
  const lanes = new Map<string, Promise<void>>()
  const upkeep = createUpkeep({ ...deps, cold: createColdWatch(deps) })
  const lane: Lane = { ...deps, signal: cut.signal, stopping: stop.signal, count: createCounts(deps) }
  let looking: Promise<void> | undefined
  let soon: NodeJS.Timeout | undefined
  let again = false
  // Without any webhook nobody looks but the timer.
  let isUsed = false

  async function look(): Promise<void> {
    const webhooks = (await store.webhooks.list()).filter(({ paused }) => !paused)
    isUsed = webhooks.length > 0
    if (isUsed) await upkeep.round(webhooks)
    for (const webhook of webhooks) {
      if (stop.signal.aborted || lanes.has(webhook.id)) continue
      const running = runLane(lane, webhook)
        .catch((error: unknown) => log.warn({ err: error, webhook: webhook.id }, 'notices of a webhook could not be looked up; the next look tries again'))
        .finally(() => lanes.delete(webhook.id))
      lanes.set(webhook.id, running)
    }
  }

  async function lookWhileAsked(): Promise<void> {
    while (again && !stop.signal.aborted) {
      again = false
      await look().catch((error: unknown) => log.warn({ err: error }, 'webhooks could not be looked after; the next look tries again'))
    }
  }

  function wake(): void {
    again = true
    looking ??= lookWhileAsked().finally(() => (looking = undefined))
  }

  const unsubscribe = wakeups.onAnyCommit((commit) => {
    if (!isUsed || commit?.ended === false || soon) return
    soon = setTimeout(() => {
      soon = undefined
      wake()
    }, SOON_MS)
  })
  const timer = setInterval(wake, lookAgainMs).unref()
  wake()
  return {
    wake,
    async close(graceMs) {
      clearInterval(timer)
      clearTimeout(soon)
      unsubscribe()
      stop.abort()
      const late = setTimeout(() => cut.abort(), graceMs)
      await looking
      await Promise.all(lanes.values())
      clearTimeout(late)
      await upkeep.close()
    },
  }
}

type Lane = DeliverDeps & Pick<SenderDeps, 'log'> & { readonly stopping: AbortSignal; readonly count: (outcome: string) => void }

/** Sends what is due to one webhook, until nothing is or something did not arrive. */
async function runLane(lane: Lane, webhook: Webhook): Promise<void> {
  const { store, clock, stopping } = lane
  while (!stopping.aborted) {
    const due = await store.webhooks.due(webhook.id, clock() / 1000, PAGE)
    if (due.length === 0) return
    for (let at = 0; at < due.length && !stopping.aborted; at += AT_ONCE) {
      const arrived = await Promise.all(due.slice(at, at + AT_ONCE).map((delivery) => sendOne(lane, webhook, delivery)))
      // An address that is away is not tried with all that waits for it.
      if (arrived.includes(false)) return
    }
  }
}

/** False when it was sent and did not arrive. */
async function sendOne(lane: Lane, webhook: Webhook, delivery: Delivery): Promise<boolean> {
  const { store, clock, settings, signal, count } = lane
  if (!(await store.webhooks.claim(delivery.id, delivery.attempts, (clock() + 3 * settings.timeoutMs) / 1000))) return true
  const sent = delivery.attempts + 1
  const { isGone, ...outcome } = await deliver(delivery, webhook, sent, lane)
  // Cut off by our own end: the claim runs out and it is sent again.
  if (signal.aborted && outcome.state !== 'delivered') return false
  await store.webhooks.settle(delivery.id, sent, clock() / 1000, outcome)
  if (outcome.state === 'failed') await disable(lane, webhook.id, isGone)
  count(outcome.state === 'waiting' ? 'retried' : outcome.state)
  return outcome.state === 'delivered'
}

/** An address that is gone, or to which nothing has arrived for days, is told nothing more until somebody looks at it; who looks after webhooks is told so. */
async function disable({ store, clock, settings, log }: Lane, id: string, isGone: boolean): Promise<void> {
  const now = clock() / 1000
  const webhook = await store.webhooks.get(id)
  if (!webhook || webhook.paused) return
  const since = webhook.failingSince ?? now
  if (!isGone && now - since < settings.disableAfterS) return
  await store.webhooks.change(id, { paused: { at: now, because: isGone ? 'gone' : 'failing' } })
  await store.webhooks.noteAlarm({ type: 'webhook.disabled', fact: `${id} ${since}`, flow: null, detail: id, at: now })
  log.warn(
    { webhook: id, url: webhook.url },
    `webhook ${id} is told nothing more: ${isGone ? 'it answered that it is gone' : 'nothing has arrived there for days'}`,
  )
}

function createCounts({ registry, store }: SenderDeps): (outcome: string) => void {
  const registers = [registry]
  const sent = new Counter({
    name: 'koco_webhook_sendings_total',
    help: 'Notices sent to webhooks by outcome: delivered, retried (to be sent again), failed (given up).',
    labelNames: ['outcome'],
    registers,
  })
  const gauge = (name: string, help: string, part: 'waiting' | 'failing'): void => {
    const asked = new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set((await store.webhooks.totals())[part])
      },
    })
    asked.reset()
  }
  gauge('koco_webhooks_failing', 'Webhooks to which notices have been given up since the last one that arrived.', 'failing')
  gauge('koco_webhook_notices_waiting', 'Notices to webhooks that wait to be sent.', 'waiting')
  return (outcome) => sent.inc({ outcome })
}
