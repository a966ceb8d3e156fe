import { randomUUID } from 'node:crypto'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { Page } from '../port/page.ts'
import type { Delivery, DeliveryOutcome, Webhook, WebhookAlarm, WebhookChange } from '../port/webhooks.ts'
import { changedColumns, MISSED_MAX, readDelivery, readWebhook, webhookRow, type DeliveryRow, type WebhookRow } from '../webhook-rows.ts'
import { Conditions } from './conditions.ts'
import type { Db } from './connection.ts'
import type { ThreadClient } from './thread-client.ts'
import { NOTE_ALARM, NOTE_DUE, NOTE_MISSED } from './webhook-schema.ts'

/** The reads of webhooks. */
export function webhookQueries(db: Db) {
  const get = db.prepare<[string], WebhookRow>('SELECT * FROM webhooks WHERE id = ?')
  const list = db.prepare<[string | null, string | null], WebhookRow>('SELECT * FROM webhooks WHERE ? IS NULL OR username = ? ORDER BY created_at, id')
  const due = db.prepare<[string, number, number], DeliveryRow>(
    "SELECT * FROM webhook_deliveries WHERE webhook = ? AND state = 'waiting' AND next_at <= ? ORDER BY next_at, at LIMIT ?",
  )
  const totals = db.prepare<[], { waiting: number; failing: number }>(
    "SELECT (SELECT count(*) FROM webhook_deliveries WHERE state = 'waiting') AS waiting, (SELECT count(*) FROM webhooks WHERE failing_since IS NOT NULL) AS failing",
  )
  return {
    getWebhook(id: string): Webhook | undefined {
      const row = get.get(id)
      return row && readWebhook(row)
    },
    listWebhooks: (user: string | null): Webhook[] => list.all(user, user).map(readWebhook),
    dueDeliveries: (webhook: string, at: number, limit: number): Delivery[] => due.all(webhook, at, clampLimit(limit)).map(readDelivery),
    listDeliveries(webhook: string, query: { readonly state?: string; readonly cursor?: string; readonly limit: number }): Page<Delivery> {
      const limit = clampLimit(query.limit)
      const where = new Conditions()
      where.add('webhook = ?', webhook)
      if (query.state !== undefined) where.add('state = ?', query.state)
      if (query.cursor !== undefined) where.add('(at, id) < (?, ?)', ...decodeCursor('deliveries', query.cursor, ['number', 'string']))
      const rows = db.prepare<unknown[], DeliveryRow>(`SELECT * FROM webhook_deliveries ${where.sql} ORDER BY at DESC, id DESC LIMIT ?`)
      return pageOf(rows.all(...where.values, limit + 1).map(readDelivery), limit, ({ at, id }) => encodeCursor('deliveries', [at, id]))
    },
    webhookTotals: () => totals.get() ?? { waiting: 0, failing: 0 },
  }
}

/** The writes of webhooks. */
export function webhookChanges(db: Db) {
  const drop = [db.prepare('DELETE FROM webhook_deliveries WHERE webhook = ?'), db.prepare('DELETE FROM webhooks WHERE id = ?')] as const
  const [noteDue, noteAlarm, noteMissed] = [db.prepare(NOTE_DUE), db.prepare(NOTE_ALARM), db.prepare(NOTE_MISSED)]
  const sendAgain = db.prepare(
    "UPDATE webhook_deliveries SET state = 'waiting', attempts = 0, next_at = ? WHERE webhook = ? AND state = 'failed' AND type <> 'test' AND last_at >= ?",
  )
  const noteTest = db.prepare("INSERT INTO webhook_deliveries (id, webhook, fact, type, at, next_at) VALUES (?, ?, ?, 'test', ?, ?)")
  return {
    createWebhook(webhook: Webhook): void {
      const row = webhookRow(webhook)
      const names = Object.keys(row)
      db.prepare(`INSERT INTO webhooks (${names.join(', ')}) VALUES (${names.map((name) => `@${name}`).join(', ')})`).run(row)
    },
    changeWebhook(id: string, change: WebhookChange): boolean {
      const columns = { id, ...changedColumns(change) }
      const sets = Object.keys(columns).map((name) => `${name} = @${name}`)
      return db.prepare(`UPDATE webhooks SET ${sets.join(', ')} WHERE id = @id`).run(columns).changes > 0
    },
    deleteWebhook(id: string): boolean {
      drop[0].run(id)
      return drop[1].run(id).changes > 0
    },
    noteDueQuestions(at: number): void {
      noteDue.run({ at })
    },
    noteAlarm(alarm: WebhookAlarm): void {
      noteAlarm.run(alarm)
    },
    catchUpWebhook(webhook: string, since: number, at: number): number {
      return sendAgain.run(at, webhook, since).changes + noteMissed.run({ webhook, since, most: MISSED_MAX }).changes
    },
    noteTest(webhook: string, at: number): string {
      const id = `msg_${randomUUID().replaceAll('-', '')}`
      noteTest.run(id, webhook, `test ${id}`, at, at)
      return id
    },
    ...deliveryChanges(db),
  }
}

function deliveryChanges(db: Db) {
  const claim = db.prepare("UPDATE webhook_deliveries SET attempts = attempts + 1, next_at = ? WHERE id = ? AND attempts = ? AND state = 'waiting'")
  const settle = db
    .prepare<unknown[], string>(
      'UPDATE webhook_deliveries SET state = ?, next_at = ?, last_at = ?, last_status = ?, problem = ? WHERE id = ? AND attempts = ? RETURNING webhook',
    )
    .pluck()
  const doesWell = db.prepare('UPDATE webhooks SET failing_since = NULL WHERE id = ? AND failing_since IS NOT NULL')
  const fails = db.prepare('UPDATE webhooks SET failing_since = coalesce(failing_since, ?) WHERE id = ?')
  const resend = db.prepare("UPDATE webhook_deliveries SET state = 'waiting', attempts = 0, next_at = ? WHERE webhook = ? AND id = ?")
  const prune = db.prepare("DELETE FROM webhook_deliveries WHERE state <> 'waiting' AND at < ?")
  return {
    claimDelivery: (id: string, attempts: number, until: number): boolean => claim.run(until, id, attempts).changes > 0,
    settleDelivery(id: string, attempts: number, at: number, { state, nextAt, lastStatus, problem }: DeliveryOutcome): void {
      const webhook = settle.get(state, nextAt, at, lastStatus, problem, id, attempts)
      if (webhook === undefined || state === 'waiting') return
      if (state === 'delivered') doesWell.run(webhook)
      else fails.run(at, webhook)
    },
    resendDelivery: (webhook: string, id: string, at: number): boolean => resend.run(at, webhook, id).changes > 0,
    pruneDeliveries: (before: number): number => prune.run(before).changes,
  }
}

/** The store over its threads. */
export function webhookCalls({ writer, reader }: { readonly writer: ThreadClient; readonly reader: ThreadClient }): ExecutionStore['webhooks'] {
  return {
    create: (webhook) => writer.call('createWebhook', webhook),
    get: (id) => reader.call('getWebhook', id),
    list: (user) => reader.call('listWebhooks', user ?? null),
    change: (id, change) => writer.call('changeWebhook', id, change),
    delete: (id) => writer.call('deleteWebhook', id),
    noteDue: (at) => writer.call('noteDueQuestions', at),
    noteAlarm: (alarm) => writer.call('noteAlarm', alarm),
    catchUp: (id, since, at) => writer.call('catchUpWebhook', id, since, at),
    noteTest: (webhook, at) => writer.call('noteTest', webhook, at),
    due: (webhook, at, limit) => reader.call('dueDeliveries', webhook, at, limit),
    claim: (id, attempts, until) => writer.call('claimDelivery', id, attempts, until),
    settle: (id, attempts, at, outcome) => writer.call('settleDelivery', id, attempts, at, outcome),
    deliveries: (webhook, query) => reader.call('listDeliveries', webhook, query),
    resend: (webhook, id, at) => writer.call('resendDelivery', webhook, id, at),
    totals: () => reader.call('webhookTotals'),
    prune: (before) => writer.call('pruneDeliveries', before),
  }
}
