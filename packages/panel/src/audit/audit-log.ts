import { toJson, type Json } from '@koco/core'
import type { AuditEntry, AuditStore } from '@koco/storage'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App, PanelContext } from '../context.ts'
import { auditedAs } from './actions.ts'

const DAY_MS = 86_400_000
const DETAIL_CHARS_MAX = 4_000
const TARGET_PARAMS = ['fid', 'lid', 'id', 'user', 'name', 'provider', 'side', '*'] as const

/**
 * Writes who did what into the audit log, before they hear that it is done. Entries that come together are written together. When the log cannot be written the deed stands, and the server's own log has the
 * entry at level error. Gives the function that ends the daily pruning.
 */
export function keepAudit(app: App, context: PanelContext): () => void {
  const add = createBatches(context.admin.audit)
  const note = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const entry = entryOf(context, request, reply)
    if (entry) await add(entry).catch((error: unknown) => context.log.error({ err: error, entry }, 'an entry of the audit log could not be written'))
  }
  app.decorateRequest('actor', null)
  app.decorateRequest('deed', null)
  app.decorateReply('noteDeed', function (this: FastifyReply) {
    this.request.deed ??= note(this.request, this)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    reply.noteDeed()
    await request.deed
    return payload
  })
  return keepShort(context)
}

function entryOf({ clock }: PanelContext, request: FastifyRequest, reply: FastifyReply): Omit<AuditEntry, 'id'> | undefined {
  const audited = auditedAs(request.method, request.routeOptions.url ?? '')
  const { principal } = request
  const body = (request.body ?? {}) as { readonly [name: string]: unknown }
  const isSignIn = audited?.action === 'account.sign_in' && body['grant_type'] !== 'refresh_token'
  // Nobody's requests are no deeds, and who is held off for trying too often has been logged with each try before.
  if (!audited || (principal === null && !isSignIn) || reply.statusCode === 429) return undefined
  return {
    at: clock() / 1000,
    actor: principal?.user ?? request.actor ?? (typeof body['login'] === 'string' ? body['login'].slice(0, 100) : ''),
    via: principal?.via ?? 'none',
    action: audited.action,
    target: targetOf(request, reply, body),
    status: reply.statusCode,
    detail: detailOf(body, audited.keep),
    address: request.ip,
  }
}

function targetOf(request: FastifyRequest, reply: FastifyReply, body: { readonly [name: string]: unknown }): string {
  const params = (request.params ?? {}) as { readonly [name: string]: unknown }
  const named = TARGET_PARAMS.flatMap((name) => (typeof params[name] === 'string' || typeof params[name] === 'number' ? [String(params[name])] : []))
  if (named.length > 0) return named.join('/')
  if (typeof body['session_id'] === 'string') return body['session_id']
  const made = reply.getHeader('location')
  return typeof made === 'string' && reply.statusCode < 300 ? (made.split('/').at(-1) ?? '') : ''
}

function detailOf(body: { readonly [name: string]: unknown }, keep: readonly string[]): Json {
  const detail = toJson(Object.fromEntries(keep.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]]]))))
  const text = JSON.stringify(detail)
  return text.length <= DETAIL_CHARS_MAX ? detail : { cut: text.slice(0, DETAIL_CHARS_MAX) }
}

/** Writes what has gathered while the write before was under way. */
function createBatches(audit: AuditStore): (entry: Omit<AuditEntry, 'id'>) => Promise<void> {
  let waiting: Omit<AuditEntry, 'id'>[] = []
  let next: Promise<void> | undefined
  let writing: Promise<void> = Promise.resolve()
  return (entry) => {
    waiting.push(entry)
    next ??= writing
      .catch(() => undefined)
      .then(() => {
        const batch = waiting
        waiting = []
        next = undefined
        writing = audit.add(batch)
        return writing
      })
    return next
  }
}

/** Takes away what is older than the installation wants to keep, at the start and once a day. */
function keepShort({ admin, settings, clock, log }: PanelContext): () => void {
  if (settings.auditDays === 0) return () => undefined
  const prune = (): void => {
    admin.audit
      .prune((clock() - settings.auditDays * DAY_MS) / 1000)
      .catch((error: unknown) => log.warn({ err: error }, 'the audit log could not be shortened'))
  }
  prune()
  const timer = setInterval(prune, DAY_MS).unref()
  return () => clearInterval(timer)
}
