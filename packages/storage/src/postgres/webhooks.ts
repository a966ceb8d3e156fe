import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { IMPORTED } from '../tally.ts'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { WebhookStore } from '../port/webhooks.ts'
import { changedColumns, MISSED_MAX, readDelivery, readWebhook, webhookRow } from '../webhook-rows.ts'
import type { ExecutionDatabase } from './schema.ts'

/** The addresses that are told of events, and their notices. RefusedError `bad_cursor`. */
export function createWebhookTable(db: ExecutionDatabase): WebhookStore {
  return { ...addresses(db), ...noting(db), ...sending(db), ...log(db) }
}

function addresses(db: ExecutionDatabase): Pick<WebhookStore, 'create' | 'get' | 'list' | 'change' | 'delete'> {
  return {
    async create(webhook) {
      await db.insertInto('webhooks').values(webhookRow(webhook)).execute()
    },
    async get(id) {
      const row = await db.selectFrom('webhooks').selectAll().where('id', '=', id).executeTakeFirst()
      return row && readWebhook(row)
    },
    async list(user) {
      const all = db.selectFrom('webhooks').selectAll().orderBy('created_at').orderBy('id')
      const rows = await (user === undefined ? all : all.where('username', '=', user)).execute()
      return rows.map(readWebhook)
    },
    async change(id, change) {
      const columns = changedColumns(change)
      if (Object.keys(columns).length === 0) return (await db.selectFrom('webhooks').select('id').where('id', '=', id).execute()).length > 0
      const { numUpdatedRows } = await db.updateTable('webhooks').set(columns).where('id', '=', id).executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async delete(id) {
      return await db.transaction().execute(async (tx) => {
        await tx.deleteFrom('webhook_deliveries').where('webhook', '=', id).execute()
        const { numDeletedRows } = await tx.deleteFrom('webhooks').where('id', '=', id).executeTakeFirst()
        return numDeletedRows > 0n
      })
    },
  }
}

function noting(db: ExecutionDatabase): Pick<WebhookStore, 'noteDue' | 'noteAlarm' | 'noteTest' | 'catchUp'> {
  return {
    async noteDue(at) {
      await sql`select koco_note('question.due', 'question.due ' || fid || ' ' || lid, fid, lid, flow, username, name, ${at}) from locks join runs using (fid)
        where locks.status = 'open' and ${at}::float8 >= expires_at - (expires_at - asked_at) / 5
        and exists (select 1 from webhooks where paused = 0 and strpos(events, 'question.due') > 0)`.execute(db)
    },
    async noteAlarm({ type, fact, flow, detail, at }) {
      await sql`select koco_note(${type}, ${`${type} ${fact}`}, null, null, ${flow}, null, ${detail}, ${at})`.execute(db)
    },
    async noteTest(webhook, at) {
      const id = `msg_${randomUUID().replaceAll('-', '')}`
      await db
        .insertInto('webhook_deliveries')
        .values({ id, webhook, fact: `test ${id}`, type: 'test', at, next_at: at })
        .execute()
      return id
    },
    async catchUp(id, since, at) {
      const again = db.updateTable('webhook_deliveries').set({ state: 'waiting', attempts: 0, next_at: at }).where('webhook', '=', id)
      const { numUpdatedRows } = await again.where('state', '=', 'failed').where('type', '<>', 'test').where('last_at', '>=', since).executeTakeFirst()
      return Number(numUpdatedRows) + (await noteMissed(db, id, since))
    },
  }
}

async function noteMissed(db: ExecutionDatabase, id: string, since: number): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into webhook_deliveries (id, webhook, fact, type, fid, lid, flow, username, detail, at, next_at)
    select 'msg_' || replace(gen_random_uuid()::text, '-', ''), w.id, m.type || ' ' || m.about, m.type, m.fid, m.lid, m.flow, m.username, m.detail, m.at, 0
    from webhooks w, (
      select 'run.' || status as type, fid || ' ' || last_epoch as about, fid, null as lid, flow, username, null as detail, finished_at as at
      from runs where status in ('finished', 'error', 'cancelled', 'timed_out') and launcher <> ${IMPORTED}
      union all select 'question.waiting', fid || ' ' || lid, fid, lid, flow, username, name, asked_at from locks join runs using (fid) where locks.status = 'open'
      union all select 'question.expired', fid || ' ' || lid, fid, lid, flow, username, name, answered_at from locks join runs using (fid) where locks.status = 'expired'
      union all select 'dead.event', fid || ' ' || position, fid, null, flow, username, position, at from dead_events left join runs using (fid)
    ) m
    where w.id = ${id} and m.at >= ${since} and strpos(w.events, chr(10) || m.type || chr(10)) > 0
    and (w.flow is null or w.flow = m.flow) and (w.runs_of is null or w.runs_of = m.username)
    and not exists (select 1 from webhook_deliveries d where d.webhook = w.id and d.fact = m.type || ' ' || m.about)
    order by m.at desc limit ${MISSED_MAX} on conflict do nothing`.execute(db)
  return Number(numAffectedRows ?? 0)
}

function sending(db: ExecutionDatabase): Pick<WebhookStore, 'due' | 'claim' | 'settle'> {
  return {
    async due(webhook, at, limit) {
      const due = db.selectFrom('webhook_deliveries').selectAll().where('webhook', '=', webhook).where('state', '=', 'waiting').where('next_at', '<=', at)
      return (await due.orderBy('next_at').orderBy('at').limit(clampLimit(limit)).execute()).map(readDelivery)
    },
    async claim(id, attempts, until) {
      const { numUpdatedRows } = await db
        .updateTable('webhook_deliveries')
        .set({ attempts: attempts + 1, next_at: until })
        .where('id', '=', id)
        .where('attempts', '=', attempts)
        .where('state', '=', 'waiting')
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async settle(id, attempts, at, { state, nextAt, lastStatus, problem }) {
      await db.transaction().execute(async (tx) => {
        const settled = await tx
          .updateTable('webhook_deliveries')
          .set({ state, next_at: nextAt, last_at: at, last_status: lastStatus, problem })
          .where('id', '=', id)
          .where('attempts', '=', attempts)
          .returning('webhook')
          .executeTakeFirst()
        if (!settled || state === 'waiting') return
        const since = state === 'delivered' ? null : sql<number>`coalesce(failing_since, ${at}::float8)`
        const told = tx.updateTable('webhooks').set({ failing_since: since }).where('id', '=', settled.webhook)
        // Most addresses do well: their row is left alone.
        await (state === 'delivered' ? told.where('failing_since', 'is not', null) : told).execute()
      })
    },
  }
}

function log(db: ExecutionDatabase): Pick<WebhookStore, 'deliveries' | 'resend' | 'totals' | 'prune'> {
  return {
    async deliveries(webhook, { state, cursor, limit: asked }) {
      const limit = clampLimit(asked)
      let found = db.selectFrom('webhook_deliveries').selectAll().where('webhook', '=', webhook)
      if (state !== undefined) found = found.where('state', '=', state)
      if (cursor !== undefined) {
        const [at, id] = decodeCursor('deliveries', cursor, ['number', 'string'])
        found = found.where(sql<boolean>`(at, id) < (${at}, ${id})`)
      }
      const rows = await found
        .orderBy('at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(readDelivery), limit, ({ at, id }) => encodeCursor('deliveries', [at, id]))
    },
    async resend(webhook, id, at) {
      const again = db.updateTable('webhook_deliveries').set({ state: 'waiting', attempts: 0, next_at: at })
      return (await again.where('webhook', '=', webhook).where('id', '=', id).executeTakeFirst()).numUpdatedRows > 0n
    },
    async totals() {
      const { rows } = await sql<{ waiting: number; failing: number }>`select (select count(*) from webhook_deliveries where state = 'waiting')::int as waiting,
        (select count(*) from webhooks where failing_since is not null)::int as failing`.execute(db)
      return rows[0] ?? { waiting: 0, failing: 0 }
    },
    async prune(before) {
      const { numDeletedRows } = await db.deleteFrom('webhook_deliveries').where('state', '<>', 'waiting').where('at', '<', before).executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}
