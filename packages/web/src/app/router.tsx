import { lazyRouteComponent, createRootRouteWithContext, createRoute, createRouter, Outlet, redirect } from '@tanstack/react-router'
import type { QueryClient } from '@tanstack/react-query'
import { meQuery } from '../api/session.ts'
import { auditSearch } from '../audit/search.ts'
import { checkpointsSearch } from '../checkpoints/search.ts'
import { insightsSearch } from '../insights/search.ts'
import { TABS, type InboxTab } from '../locks/questions.ts'
import { runSearch } from '../run/search.ts'
import { runsSearch } from '../runs/search.ts'
import { Loading } from './states.tsx'
import { NotFound } from './not-found.tsx'
import { Shell } from './shell.tsx'
import { PageFailure } from './update.tsx'

type Context = { readonly client: QueryClient }

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

const root = createRootRouteWithContext<Context>()({ component: Outlet, notFoundComponent: NotFound })

/** Where to go after sign-in: only a path of this page, never another site. */
function innerPath(value: unknown): string | undefined {
  const path = text(value)
  return path !== undefined && /^\/(?![/\\])/.test(path) ? path : undefined
}

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (search: Record<string, unknown>): { next?: string; problem?: string } => {
    const next = innerPath(search['next'])
    const problem = text(search['problem'])
    return { ...(next !== undefined && { next }), ...(problem !== undefined && { problem }) }
  },
  component: lazyRouteComponent(() => import('../login/login-page.tsx'), 'LoginPage'),
})

const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  beforeLoad: async ({ context, location }) => {
    const me = await context.client.ensureQueryData(meQuery)
    if (me === null) throw redirect({ to: '/login', search: location.href === '/' ? {} : { next: location.href } })
  },
  component: Shell,
})

const home = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/flows', replace: true })
  },
})

const flows = createRoute({
  getParentRoute: () => signedIn,
  path: '/flows',
  validateSearch: (search: Record<string, unknown>): { q?: string } => {
    const q = text(search['q'])
    return q === undefined ? {} : { q }
  },
  component: lazyRouteComponent(() => import('../flows/flows-page.tsx'), 'FlowsPage'),
})

const flow = createRoute({
  getParentRoute: () => signedIn,
  path: '/flows/$name',
  validateSearch: (search: Record<string, unknown>): { from?: string } => {
    const from = text(search['from'])
    return from === undefined ? {} : { from }
  },
  component: lazyRouteComponent(() => import('../flows/flow-page.tsx'), 'FlowPage'),
})

const runs = createRoute({
  getParentRoute: () => signedIn,
  path: '/runs',
  validateSearch: runsSearch,
  component: lazyRouteComponent(() => import('../runs/runs-page.tsx'), 'RunsPage'),
})

const run = createRoute({
  getParentRoute: () => signedIn,
  path: '/runs/$fid',
  validateSearch: runSearch,
  component: lazyRouteComponent(() => import('../run/run-page.tsx'), 'RunPage'),
})

const compare = createRoute({
  getParentRoute: () => signedIn,
  path: '/compare',
  validateSearch: (search: Record<string, unknown>): { a: string; b: string } => ({ a: text(search['a']) ?? '', b: text(search['b']) ?? '' }),
  component: lazyRouteComponent(() => import('../compare/compare-page.tsx'), 'ComparePage'),
})

const locks = createRoute({
  getParentRoute: () => signedIn,
  path: '/approvals',
  validateSearch: (search: Record<string, unknown>): { tab?: InboxTab } => {
    const tab = TABS.find((name) => name === search['tab'] && name !== 'for-me')
    return tab === undefined ? {} : { tab }
  },
  component: lazyRouteComponent(() => import('../locks/inbox-page.tsx'), 'InboxPage'),
})

const chat = createRoute({
  getParentRoute: () => signedIn,
  path: '/chat',
  component: lazyRouteComponent(() => import('../chat/chat-page.tsx'), 'ChatPage'),
})

const talk = createRoute({
  getParentRoute: () => signedIn,
  path: '/chat/$id',
  component: lazyRouteComponent(() => import('../chat/chat-page.tsx'), 'ChatPage'),
})

const settings = createRoute({
  getParentRoute: () => signedIn,
  path: '/settings',
  component: lazyRouteComponent(() => import('../settings/settings-page.tsx'), 'SettingsPage'),
})

const operations = createRoute({
  getParentRoute: () => signedIn,
  path: '/operations',
  component: lazyRouteComponent(() => import('../operations/operations-page.tsx'), 'OperationsPage'),
})

const audit = createRoute({
  getParentRoute: () => signedIn,
  path: '/operations/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('../audit/audit-page.tsx'), 'AuditPage'),
})

const budgets = createRoute({
  getParentRoute: () => signedIn,
  path: '/operations/budgets',
  component: lazyRouteComponent(() => import('../budgets/budgets-page.tsx'), 'BudgetsPage'),
})

const webhooks = createRoute({
  getParentRoute: () => signedIn,
  path: '/webhooks',
  component: lazyRouteComponent(() => import('../webhooks/webhooks-page.tsx'), 'WebhooksPage'),
})

const schedules = createRoute({
  getParentRoute: () => signedIn,
  path: '/schedules',
  component: lazyRouteComponent(() => import('../schedules/schedules-page.tsx'), 'SchedulesPage'),
})

const checkpoints = createRoute({
  getParentRoute: () => signedIn,
  path: '/checkpoints',
  validateSearch: checkpointsSearch,
  component: lazyRouteComponent(() => import('../checkpoints/checkpoints-page.tsx'), 'CheckpointsPage'),
})

const insights = createRoute({
  getParentRoute: () => signedIn,
  path: '/insights',
  validateSearch: insightsSearch,
  component: lazyRouteComponent(() => import('../insights/insights-page.tsx'), 'InsightsPage'),
})

const users = createRoute({
  getParentRoute: () => signedIn,
  path: '/users',
  component: lazyRouteComponent(() => import('../users/users-page.tsx'), 'UsersPage'),
})

/** An address that leads nowhere keeps the navigation, for who is signed in. */
const nowhere = createRoute({ getParentRoute: () => signedIn, path: '$', component: NotFound })

const tree = root.addChildren([
  login,
  signedIn.addChildren([
    home,
    flows,
    flow,
    runs,
    run,
    compare,
    chat,
    talk,
    locks,
    schedules,
    checkpoints,
    insights,
    operations,
    budgets,
    webhooks,
    audit,
    users,
    settings,
    nowhere,
  ]),
])

/** The page's router: each page is fetched when first needed, what it shows is in the URL. */
export function createPageRouter(client: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { client },
    defaultPreload: 'intent',
    scrollRestoration: true,
    defaultPendingMs: 200,
    defaultPendingComponent: () => <Loading what="page" />,
    defaultErrorComponent: PageFailure,
    defaultNotFoundComponent: NotFound,
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createPageRouter>
  }
}
