import type { Delivery, Webhook } from '@koco/storage'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { DelayWatch } from '../server/delay-watch.ts'
import type { Wakeups } from '../tail/wakeups.ts'
import { deliver, type DeliverDeps } from './deliver.ts'

/** What the sender works with. `lookAgainMs`: how often it looks into the store by itself, for what a lost wake-up missed. */
export type SenderDeps = Omit<DeliverDeps, 'signal'> & {
  readonly wakeups: Wakeups
  readonly delay: Pick<DelayWatch, 'look'>
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
const KEPT_S = 30 * 86_400
const SOON_MS = 100
const DUE_MS = 1_000
const ELECTION_MS = 30_000
const PRUNE_MS = 3_600_000

/**
 * Sends notices from the store, each webhook's in a lane of its own so that a slow address holds up no other. A notice is claimed for one sending: any number of panels share the work, and what a panel that died had
 * claimed is sent again, under the same id, when the claim has run out. One elected panel also notes alarms and keeps the log short.
 */
export function createWebhookSender(deps: SenderDeps): WebhookSender {
  const { store, wakeups, lookAgainMs, log } = deps
  const [stop, cut] = [new AbortController(), new AbortController()]
  const lanes = new Map<string, Promise<void>>()
  const upkeep = createUpkeep(deps)
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

type Lane = DeliverDeps & { readonly stopping: AbortSignal; readonly count: (outcome: string) => void }

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
  if (isGone) await store.webhooks.change(webhook.id, { paused: true })
  count(outcome.state === 'waiting' ? 'retried' : outcome.state)
  return outcome.state === 'delivered'
}

/** Notes what comes to be due; and what one of several panels does. */
function createUpkeep({ store, delay, clock, log }: SenderDeps): { round(webhooks: readonly Webhook[]): Promise<void>; close(): Promise<void> } {
  let giveBack: (() => Promise<void>) | undefined
  let [dueAt, triedAt, prunedAt] = [-Infinity, -Infinity, -Infinity]
  let raised: { readonly fact: string; readonly because: string } | undefined

  async function noteAlarms(): Promise<void> {
    const now = await delay.look()
    if (now && !raised) {
      raised = { fact: `events_delayed ${now.since}`, because: now.because }
      await store.webhooks.noteAlarm('alarm.raised', raised.fact, now.because, clock() / 1000)
    }
    if (!now && raised) {
      await store.webhooks.noteAlarm('alarm.over', raised.fact, raised.because, clock() / 1000)
      raised = undefined
    }
  }

  return {
    async round(webhooks) {
      if (webhooks.some(({ events }) => events.includes('question.due')) && clock() - dueAt >= DUE_MS) {
        dueAt = clock()
        await store.webhooks.noteDue(clock() / 1000)
      }
      if (!giveBack && clock() - triedAt >= ELECTION_MS) {
        triedAt = clock()
        giveBack = await store.exclusive('webhooks')
      }
      if (!giveBack) return
      await noteAlarms()
      if (clock() - prunedAt < PRUNE_MS) return
      prunedAt = clock()
      const gone = await store.webhooks.prune(clock() / 1000 - KEPT_S)
      if (gone > 0) log.info({ notices: gone }, 'old notices of webhooks were taken off the log')
    },
    close: async () => await giveBack?.(),
  }
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
