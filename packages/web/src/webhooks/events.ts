import type { Webhook, WebhookDelivery } from '@koco/core/api'

const LABELS: Readonly<Record<WebhookDelivery['type'], string>> = {
  'run.finished': 'Run finished',
  'run.error': 'Run failed',
  'run.cancelled': 'Run cancelled',
  'run.timed_out': 'Run timed out',
  'question.waiting': 'Question waits',
  'question.due': 'Question nearly due',
  'question.expired': 'Question expired',
  'question.escalated': 'Question put to others',
  'dead.event': 'Dead event',
  'alarm.raised': 'Events are delayed',
  'alarm.over': 'Events are stored again',
  'flow.cold': 'Runs wait, no worker',
  'flow.served': 'A worker is back',
  'webhook.disabled': 'Webhook disabled',
  test: 'Test',
}

const OF_OPERATORS: readonly string[] = ['dead.event', 'alarm.raised', 'alarm.over', 'flow.cold', 'flow.served', 'webhook.disabled']

/** What an event is called. */
export function eventLabel(event: WebhookDelivery['type']): string {
  return LABELS[event]
}

/** What somebody may choose to be told of. */
export function choosable(isOperator: boolean): { value: Webhook['events'][number]; label: string }[] {
  const all = Object.entries(LABELS).filter(([event]) => event !== 'test' && (isOperator || !OF_OPERATORS.includes(event)))
  return all.map(([value, label]) => ({ value: value as Webhook['events'][number], label }))
}
