/** What a route is called in the audit log, and which fields of its body are kept: never one that may hold a secret or a person's data. `null`: it is left out. */
type Audited = { readonly action: string; readonly keep?: readonly string[] } | null

/** Every route that changes something is logged; these have a name of their own, the others go by their address. Parts of one upload, and drafts, are no deeds. */
const ACTIONS: Readonly<Record<string, Audited>> = {
  'POST /api/auth/login': { action: 'account.sign_in' },
  'POST /api/auth/token': { action: 'account.sign_in', keep: ['grant_type'] },
  'GET /api/auth/sign-in/:provider/callback': { action: 'account.sign_in' },
  'POST /api/auth/signing-keys/replace': { action: 'account.replace_signing_keys' },
  'POST /api/auth/logout': { action: 'account.sign_out' },
  'POST /api/auth/password': { action: 'account.password' },
  'DELETE /api/auth/sessions/:id': { action: 'account.end_session' },
  'POST /api/users': { action: 'user.add', keep: ['name', 'email', 'role'] },
  'PATCH /api/users/:user': { action: 'user.change', keep: ['email', 'role', 'active'] },
  'POST /api/keys': { action: 'key.make', keep: ['name'] },
  'DELETE /api/keys/:id': { action: 'key.delete' },
  'POST /api/runs': { action: 'run.start', keep: ['flow', 'parent'] },
  'POST /api/runs/import': { action: 'run.import' },
  'POST /api/runs/bulk': { action: 'run.bulk', keep: ['action', 'fids', 'filter', 'reason'] },
  'DELETE /api/runs/:fid': { action: 'run.archive' },
  'POST /api/runs/:fid/restore': { action: 'run.restore' },
  'POST /api/runs/:fid/pause': { action: 'run.pause', keep: ['reason'] },
  'POST /api/runs/:fid/resume': { action: 'run.resume' },
  'POST /api/runs/:fid/cancel': { action: 'run.cancel', keep: ['reason'] },
  'POST /api/runs/:fid/retry': { action: 'run.retry' },
  'GET /api/runs/export': { action: 'run.export_list' },
  'GET /api/runs/:fid/export': { action: 'run.export' },
  'POST /api/runs/:fid/locks/:lid': { action: 'lock.answer', keep: ['reason'] },
  'PUT /api/runs/:fid/files/:side/*': { action: 'file.write' },
  'DELETE /api/runs/:fid/files/:side/*': { action: 'file.delete' },
  'POST /api/schedules': { action: 'schedule.make', keep: ['id', 'flow', 'cron', 'time_zone', 'every_s'] },
  'DELETE /api/schedules/:id': { action: 'schedule.delete' },
  'POST /api/schedules/:id/pause': { action: 'schedule.pause' },
  'POST /api/schedules/:id/resume': { action: 'schedule.resume' },
  'POST /api/schedules/:id/trigger': { action: 'schedule.trigger' },
  'POST /api/views': { action: 'view.save', keep: ['name', 'shared'] },
  'DELETE /api/views/:id': { action: 'view.delete' },
  'PUT /api/budgets/:id': { action: 'budget.set', keep: ['flow', 'user', 'per', 'cost', 'tokens', 'warn_at', 'assignees'] },
  'DELETE /api/budgets/:id': { action: 'budget.delete' },
  'POST /api/webhooks': { action: 'webhook.make', keep: ['events', 'flow', 'runs_of', 'bodies'] },
  'PATCH /api/webhooks/:id': { action: 'webhook.change', keep: ['events', 'flow', 'bodies', 'paused'] },
  'DELETE /api/webhooks/:id': { action: 'webhook.delete' },
  'POST /api/webhooks/:id/secret': { action: 'webhook.secret' },
  'POST /api/webhooks/:id/test': { action: 'webhook.test' },
  'POST /api/webhooks/:id/deliveries/:notice/resend': { action: 'webhook.resend' },
  'POST /api/dead/:id/retry': { action: 'dead.retry' },
  'DELETE /api/dead/:id': { action: 'dead.discard' },
  'GET /api/audit/export': { action: 'audit.export' },
  'POST /api/session/draft': null,
  'POST /api/auth/ticket': null,
  'POST /api/uploads': null,
  'PATCH /api/uploads/:id': null,
  'DELETE /api/uploads/:id': null,
}

/** How a route is logged; undefined for one that is not. A route without a name of its own is called after its address: `POST /api/session/undo` is `session.undo`. */
export function auditedAs(method: string, url: string): { readonly action: string; readonly keep: readonly string[] } | undefined {
  const known = ACTIONS[`${method} ${url}`]
  if (known === null) return undefined
  if (known) return { keep: [], ...known }
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || !url.startsWith('/api/')) return undefined
  const parts = url
    .split('/')
    .slice(2)
    .filter((part) => part !== '' && part !== '*' && !part.startsWith(':'))
  return { action: [...parts, ...(method === 'POST' ? [] : [method.toLowerCase()])].join('.'), keep: [] }
}
