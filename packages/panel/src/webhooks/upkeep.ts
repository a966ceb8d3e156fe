import type { ExecutionStore, Webhook } from '@koco/storage'
import type { ColdFlow, ColdWatch } from '../server/cold-watch.ts'
import type { DelayWatch } from '../server/delay-watch.ts'

/** What the upkeep works with. */
export type UpkeepDeps = {
  readonly store: ExecutionStore
  readonly delay: Pick<DelayWatch, 'look'>
  readonly cold: ColdWatch
  readonly clock: () => number
  readonly log: { info(fields: object, text: string): void }
}

const KEPT_S = 30 * 86_400
const DUE_MS = 1_000
const COLD_MS = 5_000
const ELECTION_MS = 30_000
const PRUNE_MS = 3_600_000

/** Notes what comes to be due; and, as one of several panels, alarms, and keeps the log short. */
export function createUpkeep({ store, delay, cold, clock, log }: UpkeepDeps): { round(webhooks: readonly Webhook[]): Promise<void>; close(): Promise<void> } {
  let giveBack: (() => Promise<void>) | undefined
  const isTime = createTimes(clock)
  const noteDelay = createDelayNotes(store, delay, clock)
  const noteCold = createColdNotes(store, cold, clock)
  return {
    async round(webhooks) {
      const wants = (event: Webhook['events'][number]): boolean => webhooks.some(({ events }) => events.includes(event))
      if (wants('question.due') && isTime('due', DUE_MS)) await store.webhooks.noteDue(clock() / 1000)
      if (!giveBack && isTime('election', ELECTION_MS)) giveBack = await store.exclusive('webhooks')
      if (!giveBack) return
      await noteDelay()
      if ((wants('flow.cold') || wants('flow.served')) && isTime('cold', COLD_MS)) await noteCold()
      if (!isTime('prune', PRUNE_MS)) return
      const gone = await store.webhooks.prune(clock() / 1000 - KEPT_S)
      if (gone > 0) log.info({ notices: gone }, 'old notices of webhooks were taken off the log')
    },
    close: async () => await giveBack?.(),
  }
}

/** True the first time, and again when so much time is over. */
function createTimes(clock: () => number): (what: string, everyMs: number) => boolean {
  const last = new Map<string, number>()
  return (what, everyMs) => {
    if (clock() - (last.get(what) ?? -Infinity) < everyMs) return false
    last.set(what, clock())
    return true
  }
}

function createDelayNotes({ webhooks }: ExecutionStore, delay: Pick<DelayWatch, 'look'>, clock: () => number): () => Promise<void> {
  let raised: { readonly fact: string; readonly flow: null; readonly detail: string } | undefined
  return async () => {
    const now = await delay.look()
    if (now && !raised) {
      raised = { fact: `events_delayed ${now.since}`, flow: null, detail: now.because }
      await webhooks.noteAlarm({ type: 'alarm.raised', ...raised, at: clock() / 1000 })
    }
    if (!now && raised) {
      await webhooks.noteAlarm({ type: 'alarm.over', ...raised, at: clock() / 1000 })
      raised = undefined
    }
  }
}

function createColdNotes({ webhooks }: ExecutionStore, cold: ColdWatch, clock: () => number): () => Promise<void> {
  let raised = new Map<string, ColdFlow>()
  return async () => {
    const now = new Map((await cold.look()).map((one) => [one.flow, one]))
    const note = async (type: 'flow.cold' | 'flow.served', { flow, since }: ColdFlow): Promise<void> =>
      await webhooks.noteAlarm({ type, fact: `${flow} ${since}`, flow, detail: null, at: clock() / 1000 })
    for (const one of now.values()) if (!raised.has(one.flow)) await note('flow.cold', one)
    for (const one of raised.values()) if (!now.has(one.flow)) await note('flow.served', one)
    raised = new Map([...now].map(([flow, one]) => [flow, raised.get(flow) ?? one]))
  }
}
