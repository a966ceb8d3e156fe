import type { Page, Webhook, WebhookDelivery } from '@koco/core/api'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'

/** What makes a webhook. */
export type NewWebhook = Pick<Webhook, 'url' | 'events' | 'flow' | 'bodies'>

/** A webhook whose secret is shown this one time. */
export type WithSecret = Webhook & { readonly secret: string }

const path = (id: string) => `/api/webhooks/${encodeURIComponent(id)}`

/** My webhooks, or those of all for operators. */
export const webhooksQuery = queryOptions({
  queryKey: ['webhooks'],
  queryFn: async ({ signal }) => (await api<Page<Webhook>>('/api/webhooks', { signal })).items,
  refetchInterval: 10_000,
})

/** What was sent to a webhook, and what waits; asked again while a person looks. */
export function deliveriesQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: ['webhook-deliveries', id],
    queryFn: ({ pageParam, signal }) =>
      api<Page<WebhookDelivery>>(`${path(id)}/deliveries${queryOf({ limit: 50, after: pageParam ?? undefined })}`, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: 2_000,
  })
}

/** Makes a webhook. Throws ApiProblem 422 `bad_webhook_url`. */
export function makeWebhook(webhook: NewWebhook, key: string): Promise<WithSecret> {
  return api('/api/webhooks', { method: 'POST', body: webhook, key })
}

/** Pauses a webhook: nothing is noted for it until it goes on. */
export function pauseWebhook(id: string): Promise<Webhook> {
  return api(path(id), { method: 'PATCH', body: { paused: true } })
}

/** Lets a webhook go on. `missed`: it is told of what it missed, and what was given up is sent again. */
export function resumeWebhook(id: string, missed: boolean): Promise<Webhook> {
  return api(path(id), { method: 'PATCH', body: { paused: false, missed } })
}

/** Gives a webhook another secret. */
export function replaceSecret(id: string): Promise<WithSecret> {
  return api(`${path(id)}/secret`, { method: 'POST', body: {} })
}

/** Sends a test now. */
export function testWebhook(id: string): Promise<{ readonly id: string }> {
  return api(`${path(id)}/test`, { method: 'POST', body: {} })
}

/** Sends a notice again. */
export function resendNotice(id: string, notice: string): Promise<unknown> {
  return api(`${path(id)}/deliveries/${encodeURIComponent(notice)}/resend`, { method: 'POST', body: {} })
}

/** Deletes a webhook with its log. */
export function deleteWebhook(id: string): Promise<unknown> {
  return api(path(id), { method: 'DELETE' })
}
