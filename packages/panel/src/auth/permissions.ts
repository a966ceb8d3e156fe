import type { Role } from '@koco/storage'

/** Who is asking. `user` is the name that runs carry; `credential` the hash of the session's or key's secret, or the id of the sign-in that an access token belongs to. */
export type Principal = {
  readonly userId: string
  readonly user: string
  readonly email: string
  readonly role: Role
  readonly via: 'session' | 'key' | 'token' | 'off'
  readonly credential: string
}

/** How far a right goes: not at all, over what is one's own, over everything. */
type Reach = 'none' | 'own' | 'any'

/** The one table of permissions: each route names one of these actions, `can` is the one judge. */
const PERMISSIONS = {
  'account.use': { viewer: 'own', user: 'own', operator: 'any' },
  'flows.read': { viewer: 'any', user: 'any', operator: 'any' },
  'runs.read': { viewer: 'own', user: 'own', operator: 'any' },
  'runs.start': { viewer: 'none', user: 'own', operator: 'any' },
  'runs.control': { viewer: 'none', user: 'own', operator: 'any' },
  'runs.import': { viewer: 'none', user: 'own', operator: 'any' },
  'runs.archive': { viewer: 'none', user: 'own', operator: 'any' },
  'locks.read': { viewer: 'own', user: 'own', operator: 'any' },
  'locks.answer': { viewer: 'none', user: 'own', operator: 'any' },
  'uploads.use': { viewer: 'none', user: 'own', operator: 'own' },
  'files.read': { viewer: 'own', user: 'own', operator: 'any' },
  'files.write': { viewer: 'none', user: 'own', operator: 'any' },
  'schedules.read': { viewer: 'own', user: 'own', operator: 'any' },
  'schedules.manage': { viewer: 'none', user: 'own', operator: 'any' },
  // What people say to an agent is their own: nobody else reads it here.
  'sessions.read': { viewer: 'own', user: 'own', operator: 'own' },
  'sessions.write': { viewer: 'none', user: 'own', operator: 'own' },
  // So are the copies of it.
  'checkpoints.read': { viewer: 'own', user: 'own', operator: 'own' },
  'checkpoints.write': { viewer: 'none', user: 'own', operator: 'own' },
  'checkpoints.manage': { viewer: 'none', user: 'none', operator: 'any' },
  'views.use': { viewer: 'own', user: 'own', operator: 'any' },
  'views.share': { viewer: 'none', user: 'own', operator: 'any' },
  'webhooks.manage': { viewer: 'none', user: 'own', operator: 'any' },
  'keys.manage': { viewer: 'own', user: 'own', operator: 'any' },
  'operations.read': { viewer: 'none', user: 'none', operator: 'any' },
  'insights.read': { viewer: 'own', user: 'own', operator: 'any' },
  'budgets.manage': { viewer: 'none', user: 'none', operator: 'any' },
  'audit.read': { viewer: 'none', user: 'none', operator: 'any' },
  'users.manage': { viewer: 'none', user: 'none', operator: 'any' },
  'dead.manage': { viewer: 'none', user: 'none', operator: 'any' },
} as const satisfies Record<string, Record<Role, Reach>>

/** What can be done, as routes and `can` name it. */
export type Action = keyof typeof PERMISSIONS

/** True when this person may do this; with a resource: to that one. Without one: to at least what is their own. */
export function can(principal: Principal, action: Action, resource?: { readonly user: string }): boolean {
  const reach: Reach = PERMISSIONS[action][principal.role]
  if (reach === 'any') return true
  return reach === 'own' && (resource === undefined || resource.user === principal.user)
}

/** Whose things a list may show: undefined for everybody's. */
export function ownScope(principal: Principal, action: Action): string | undefined {
  const reach: Reach = PERMISSIONS[action][principal.role]
  return reach === 'any' ? undefined : principal.user
}
