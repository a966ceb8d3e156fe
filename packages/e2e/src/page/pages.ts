import type { Page } from 'playwright-core'
import type { LivedIn } from './lived-in.ts'
import { seen } from './browser.ts'

const TABS = ['timeline', 'steps', 'replay', 'result', 'files', 'logs', 'inputs', 'about']

/** Every page and view of a lived-in installation, as paths. */
export function everyPage({ runs, session }: LivedIn): string[] {
  return [
    '/flows',
    '/flows/every-field',
    '/flows/reconcile-quarterly-invoices-of-all-subsidiaries-with-bank-file',
    `/flows/everything?from=${runs.everything}`,
    '/runs',
    '/runs?archived=true',
    '/runs?q=nothing-like-it',
    ...TABS.map((tab) => `/runs/${runs.everything}?tab=${tab}`),
    ...TABS.slice(0, 6).map((tab) => `/runs/${runs.hostile}?tab=${tab}`),
    `/runs/${runs.asking}`,
    `/runs/${runs.long}?tab=logs`,
    `/runs/${runs.family}?tab=about`,
    `/runs/${runs.imported}`,
    `/compare?a=${runs.everything}&b=${runs.imported}`,
    '/chat',
    `/chat/${session}`,
    '/approvals',
    '/approvals?tab=to-answer',
    '/approvals?tab=watching',
    '/approvals?tab=answered',
    '/schedules',
    '/checkpoints',
    `/checkpoints?session=${session}`,
    '/insights',
    '/operations',
    '/operations/budgets',
    '/operations/audit',
    '/webhooks',
    '/users',
    '/settings',
  ]
}

/** Opens a page and resolves when it shows what it is for, and no part of it is on its way. */
export async function openPage(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await seen(page.getByRole('main').getByRole('heading', { level: 1 }))
  await page.locator('[aria-label^="Loading"]').first().waitFor({ state: 'detached' })
}
