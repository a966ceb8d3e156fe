/** What an address may ask to be told of. `question.due`: four fifths of the time to answer are over. `alarm.…`: events are not stored as they come, and are again. */
export const WEBHOOK_EVENTS = [
  'run.finished',
  'run.error',
  'run.cancelled',
  'run.timed_out',
  'question.waiting',
  'question.due',
  'question.expired',
  'dead.event',
  'alarm.raised',
  'alarm.over',
] as const

/** One of `WEBHOOK_EVENTS`. */
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number]
