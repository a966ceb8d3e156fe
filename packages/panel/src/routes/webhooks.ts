import { WEBHOOK_EVENTS } from '@koco/core'
import type { Webhook, WebhookChange } from '@koco/storage'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { can, ownScope, type Principal } from '../auth/permissions.ts'
import { newId } from '../auth/secrets.ts'
import type { PanelContext, Routes } from '../context.ts'
import { answers, empty } from '../server/describe.ts'
import { createOnce } from '../server/idempotency.ts'
import { ProblemError } from '../server/problems.ts'
import { DeliveryShape, deliveryJson, webhookJson, WebhookShape } from '../shapes/webhook.ts'
import { limit, pageOf } from '../shapes/json.ts'
import { parseWebhookUrl } from '../webhooks/address.ts'
import { isOfRuns } from '../webhooks/deliver.ts'
import { newWebhookSecret, webhookSeal } from '../webhooks/secret.ts'
import { caller } from './visible-run.ts'

const tags = ['webhooks']
const config = { access: 'webhooks.manage' } as const
const WEBHOOKS_MAX = 20
const MISSED_S = 30 * 86_400
const params = z.object({ id: z.string().min(1).max(64) })
const noticeParams = params.extend({ notice: z.string().min(1).max(64) })

const fields = {
  url: z.string().max(2_000).describe('https; not an address of this machine or of a private network unless KODO_WEBHOOK_PRIVATE=on'),
  events: z.array(z.enum(WEBHOOK_EVENTS)).min(1).max(WEBHOOK_EVENTS.length).describe('dead.event, alarm.…, flow.… and webhook.disabled are for operators'),
  flow: z.string().min(1).max(63).nullable().describe("only of this flow's runs; null: of all"),
  bodies: z.boolean().describe('whether inputs, results and what questions show go along'),
}
const Body = z.object({
  ...fields,
  flow: fields.flow.default(null),
  bodies: fields.bodies.default(false),
  runs_of: z
    .string()
    .min(1)
    .max(63)
    .nullable()
    .optional()
    .describe("only of this user's runs; an operator's default is null: of all, everybody else's is their own"),
})
const Change = z
  .object({
    ...fields,
    paused: z.boolean().describe('nothing is noted for it meanwhile'),
    missed: z
      .boolean()
      .describe(
        'when it goes on: whether it is told of what it missed and what was given up, of at most 30 days and 10,000 notices; else it hears of what comes from now on',
      ),
  })
  .partial()
const WithSecret = WebhookShape.extend({ secret: z.string().describe('signs the notices; shown this one time') })

/** Addresses that are told of events: listed, made, read. */
export const webhookRoutes: Routes = (app, context) => {
  const { webhooks } = context.store
  const once = createOnce(context.clock)

  app.get(
    '/api/webhooks',
    { config, schema: { tags, summary: 'My webhooks, or those of all for operators', ...answers({ 200: pageOf(WebhookShape) }, 401, 403) } },
    async (request) => ({ items: (await webhooks.list(ownScope(caller(request), 'webhooks.manage'))).map(webhookJson), next: null }),
  )

  app.post(
    '/api/webhooks',
    {
      config,
      schema: {
        tags,
        summary: 'Make a webhook; its secret is shown this one time',
        headers: z.object({ 'idempotency-key': z.string().min(1).max(200).optional() }),
        body: Body,
        ...answers({ 201: WithSecret }, 401, 403, 409, 413, 422),
      },
    },
    async (request, reply) => {
      const me = caller(request)
      const made = await once(me.userId, request.headers['idempotency-key'], request.body, () => make(context, me, request.body))
      return reply.code(201).header('location', `/api/webhooks/${made.id}`).send(made)
    },
  )

  app.get('/api/webhooks/:id', { config, schema: { tags, summary: 'A webhook', params, ...answers({ 200: WebhookShape }, 401, 403, 404) } }, async (request) =>
    webhookJson(await mine(context, request, request.params.id)),
  )
}

/** Changes a webhook, gives it another secret, deletes it. */
export const webhookChangeRoutes: Routes = (app, context) => {
  const { webhooks } = context.store

  app.patch(
    '/api/webhooks/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Change, pause or resume a webhook; its next notices go by it',
        description:
          'What happens while a webhook is paused is not noted for it. Resume it with `missed: true`, and it is told of that out of what is stored: the last end of each run, questions that are open or have expired, dead events; and what had been given up is sent again.',
        params,
        body: Change,
        ...answers({ 200: WebhookShape }, 401, 403, 404, 413, 422),
      },
    },
    async (request) => {
      const webhook = await mine(context, request, request.params.id)
      const { id } = webhook
      const { paused, missed = false, ...rest } = request.body
      check(context, caller(request), rest)
      await webhooks.change(id, { ...withoutUndefined(rest), ...pauseOf(webhook, paused, context.clock() / 1000) })
      if (missed && paused === false) await catchUp(context, webhook)
      context.webhooks.wake()
      return webhookJson(await mine(context, request, id))
    },
  )

  app.post(
    '/api/webhooks/:id/secret',
    {
      config,
      schema: {
        tags,
        summary: 'Give a webhook another secret, shown this one time; the old one signs nothing more',
        params,
        ...answers({ 200: WithSecret }, 401, 403, 404),
      },
    },
    async (request) => {
      const webhook = await mine(context, request, request.params.id)
      const secret = newWebhookSecret()
      await webhooks.change(webhook.id, { secret: webhookSeal(context.hashSecret).seal(secret) })
      return { ...webhookJson(webhook), secret }
    },
  )

  app.delete(
    '/api/webhooks/:id',
    { config, schema: { tags, summary: 'Delete a webhook with its notices', params, ...answers({ 204: empty }, 401, 403, 404) } },
    async (request, reply) => {
      await webhooks.delete((await mine(context, request, request.params.id)).id)
      return reply.code(204).send()
    },
  )
}

/** What a webhook was told, and what it is told on demand. */
export const webhookNoticeRoutes: Routes = (app, context) => {
  const { webhooks } = context.store
  const Accepted = z.object({ id: z.string().describe('the notice, to be found in the log') })

  app.post(
    '/api/webhooks/:id/test',
    { config, schema: { tags, summary: 'Send a test now, once', params, ...answers({ 202: Accepted }, 401, 403, 404, 409) } },
    async (request, reply) => {
      const webhook = await mine(context, request, request.params.id)
      if (webhook.paused) throw new ProblemError(409, 'webhook_paused', 'Nothing is sent to a webhook that is paused; let it go on first.')
      const id = await webhooks.noteTest(webhook.id, context.clock() / 1000)
      context.webhooks.wake()
      return reply.code(202).send({ id })
    },
  )

  app.get(
    '/api/webhooks/:id/deliveries',
    {
      config,
      schema: {
        tags,
        summary: 'What was sent to a webhook in the last 30 days, and what waits, newest first',
        params,
        querystring: z.object({ state: z.enum(['waiting', 'delivered', 'failed']).optional(), after: z.string().max(500).optional(), limit: limit(200, 50) }),
        ...answers({ 200: pageOf(DeliveryShape) }, 401, 403, 404),
      },
    },
    async (request) => {
      const { state, after: cursor, limit: size } = request.query
      const { id } = await mine(context, request, request.params.id)
      const page = await webhooks.deliveries(id, { limit: size, ...(state && { state }), ...(cursor !== undefined && { cursor }) })
      return { items: page.items.map(deliveryJson), next: page.next }
    },
  )

  app.post(
    '/api/webhooks/:id/deliveries/:notice/resend',
    { config, schema: { tags, summary: 'Send a notice again, under the same id', params: noticeParams, ...answers({ 202: Accepted }, 401, 403, 404) } },
    async (request, reply) => {
      const { notice } = request.params
      const { id } = await mine(context, request, request.params.id)
      if (!(await webhooks.resend(id, notice, context.clock() / 1000)))
        throw new ProblemError(404, 'unknown_notice', `There is no notice ${notice} to this webhook.`)
      context.webhooks.wake()
      return reply.code(202).send({ id: notice })
    },
  )
}

async function make(context: PanelContext, me: Principal, body: z.output<typeof Body>) {
  const { webhooks } = context.store
  const runsOf = body.runs_of === undefined ? (ownScope(me, 'webhooks.manage') ?? null) : body.runs_of
  check(context, me, { ...body, runs_of: runsOf })
  if ((await webhooks.list(me.user)).length >= WEBHOOKS_MAX)
    throw new ProblemError(409, 'too_many_webhooks', `You have ${WEBHOOKS_MAX} webhooks, which is the limit; delete one first.`)
  const secret = newWebhookSecret()
  const { url, flow, events, bodies } = body
  const about = { id: `wh_${newId()}`, url, user: me.user, runsOf, flow, events: [...new Set(events)], bodies, paused: null }
  const webhook: Webhook = { ...about, secret: webhookSeal(context.hashSecret).seal(secret), createdAt: context.clock() / 1000, failingSince: null }
  await webhooks.create(webhook)
  return { ...webhookJson(webhook), secret }
}

type Asked = { readonly url?: string | undefined; readonly events?: readonly string[] | undefined; readonly runs_of?: string | null }

/** Refuses an address that webhooks do not go to, and what this person may not be told of. */
function check({ settings }: PanelContext, me: Principal, { url, events = [], runs_of: runsOf }: Asked): void {
  if (url !== undefined) parseWebhookUrl(url, settings.webhooks.isPrivateAllowed)
  if (ownScope(me, 'webhooks.manage') === undefined) return
  const foreign = events.find((event) => !isOfRuns(event))
  if (foreign !== undefined) throw new ProblemError(403, 'not_allowed', `Only an operator is told of ${foreign}.`)
  if (runsOf !== undefined && runsOf !== me.user) throw new ProblemError(403, 'not_allowed', 'You may be told of your own runs only.')
}

/** A webhook that is paused already stays so since then and for its reason. */
function pauseOf({ paused: before }: Webhook, paused: boolean | undefined, at: number): Pick<WebhookChange, 'paused'> {
  if (paused === undefined || (paused && before)) return {}
  return { paused: paused ? { at, because: 'asked' } : null }
}

/** Has it told of what it has missed: since it was paused, and since what was sent to it was given up. */
async function catchUp({ store, clock }: PanelContext, { id, paused, failingSince }: Webhook): Promise<void> {
  const now = clock() / 1000
  const since = Math.min(paused?.at ?? now, failingSince ?? now)
  await store.webhooks.catchUp(id, Math.max(since, now - MISSED_S), now)
}

async function mine({ store }: PanelContext, request: FastifyRequest, id: string): Promise<Webhook> {
  const webhook = await store.webhooks.get(id)
  if (webhook && can(caller(request), 'webhooks.manage', webhook)) return webhook
  throw new ProblemError(404, 'unknown_webhook', `There is no webhook ${id} among those that you may see.`)
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> }
}
