/**
 * What an address may ask to be told of. `question.due`: four fifths of the time to answer are over. `question.escalated`: nobody answered, others may now. `alarm.…`: events are not stored as they come, and are again. `flow.cold`: runs of a flow wait and no worker serves it;
 * `flow.served`: one does again. `webhook.disabled`: another address failed for days, or is gone, and is told nothing more.
 */
export const WEBHOOK_EVENTS = [
  'run.finished',
  'run.error',
  'run.cancelled',
  'run.timed_out',
  'question.waiting',
  'question.due',
  'question.expired',
  'question.escalated',
  'dead.event',
  'alarm.raised',
  'alarm.over',
  'flow.cold',
  'flow.served',
  'webhook.disabled',
] as const

/** One of `WEBHOOK_EVENTS`. */
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number]
