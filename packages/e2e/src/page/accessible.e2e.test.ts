// Goal: every page can be used with a screen reader and read by people with weak eyes. Method: axe-core in a real browser on each page, light and dark, wide and narrow; no serious finding.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { ApiClient } from '../processes/api-client.ts'
import { PASSWORD } from '../processes/installation.ts'
import { embedded, PAGE_FLOWS, type Stack } from '../processes/stacks.ts'
import { findings } from './axe.ts'
import { openBrowser, signIn } from './browser.ts'

const PAGES = [
  '/flows',
  '/flows/asked',
  '/runs',
  '/chat',
  '/approvals',
  '/settings',
  '/operations',
  '/users',
  '/schedules',
  '/checkpoints',
  '/insights',
  '/operations/budgets',
  '/operations/audit',
]
const TABS = ['timeline', 'steps', 'result', 'logs', 'inputs', 'about']

let browser: Browser
let stack: Stack
let client: ApiClient
let asking: string
beforeAll(async () => {
  browser = await openBrowser(inject('chromium'))
  stack = await embedded({ KODO_FLOWS: PAGE_FLOWS })
  client = await stack.client()
  await client.startAndWait('asked', { name: 'Ada' })
  await client.startAndWait('failing', { n: 7 })
  await client.startAndWait('spending', {})
  await client.json('PUT', '/api/budgets/all-day', { per: 'day', cost: 500 })
  await client.json('POST', '/api/schedules', { id: 'hourly', flow: 'asked', inputs: { name: 'Ada' }, every_s: 3600 })
  asking = await client.start('hostile', {})
  await vi.waitUntil(async () => (await client.run(asking)).status === 'awaiting', { timeout: 20_000, interval: 100 })
})
afterAll(async () => {
  await browser.close()
  await stack.close()
})

describe.each([
  { colorScheme: 'light', width: 1440 },
  { colorScheme: 'dark', width: 1440 },
  { colorScheme: 'light', width: 390 },
] as const)('$colorScheme, $width wide', ({ colorScheme, width }) => {
  test('no page has a serious finding', async () => {
    const look = { colorScheme, viewport: { width, height: 900 }, reducedMotion: 'reduce' } as const
    const { page, errors } = await signIn(browser, stack.address, PASSWORD, look)
    const found: Record<string, string[]> = {}
    for (const path of [...PAGES, ...TABS.map((tab) => `/runs/${asking}?tab=${tab}`)]) {
      await page.goto(stack.address + path)
      await page.getByRole('main').getByRole('heading', { level: 1 }).first().waitFor()
      await page.waitForLoadState('networkidle', { timeout: 3_000 }).catch(() => undefined)
      const serious = await findings(page)
      if (serious.length > 0) found[path] = serious
    }
    expect(found).toEqual({})
    expect(errors).toEqual([])
    await page.context().close()
  })
})

test('neither has the sign-in page', async () => {
  const page = await browser.newPage()
  await page.goto(stack.address)
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  expect(await findings(page)).toEqual([])
  await page.close()
})
