import { expect } from 'vitest'
import type { Page } from 'playwright-core'
import { openPage } from './pages.ts'
import { seen } from './browser.ts'

/** Runs and sessions look alike: of each flow, and of each view of a run, one is looked at. */
export function kindOf(href: string): string {
  const { pathname, searchParams } = new URL(href)
  const path = pathname.replaceAll(/[0-9a-f]{24}/g, ':fid').replaceAll(/[0-9a-f]{12}/g, ':session')
  return `${path}?${[...searchParams].map(([name, value]) => (/^(?:tab|status|archived)$/.test(name) ? `${name}=${value}` : name)).join('&')}`
}

async function hrefs(page: Page): Promise<string[]> {
  return page.locator('a[href]').evaluateAll((links) => links.map((link) => (link as unknown as { href: string }).href))
}

/** The links that stand in menus. */
async function menuHrefs(page: Page): Promise<string[]> {
  const found: string[] = []
  const openers = page.locator('main button[aria-haspopup=menu]:visible')
  for (let index = 0; index < Math.min(3, await openers.count()); index += 1) {
    await openers.nth(index).click()
    await seen(page.getByRole('menu'))
    found.push(...(await hrefs(page)))
    await page.keyboard.press('Escape')
    await page.getByRole('menu').first().waitFor({ state: 'detached' })
  }
  return found
}

/** The views of a page that its tabs open. */
async function tabHrefs(page: Page): Promise<string[]> {
  const found: string[] = []
  const tabs = page.locator('main').getByRole('tab')
  for (let index = 0; index < (await tabs.count()); index += 1) {
    await tabs.nth(index).click()
    await expect.poll(() => tabs.nth(index).getAttribute('aria-selected')).toBe('true')
    found.push(page.url(), ...(await hrefs(page)))
  }
  return found
}

/** Opens a page and says what is wrong with it; nothing when it shows what it is for. */
export async function faultOf(page: Page, href: string): Promise<string | undefined> {
  await openPage(page, href)
  const main = page.getByRole('main')
  const said = main.getByRole('alert').filter({ hasText: /request \S+|Something went wrong/ })
  if ((await said.count()) > 0) return said.first().innerText()
  return (await main.getByText('There is no such page').count()) > 0 ? 'no such page' : undefined
}

/** Where a page leads: its links, those in its first menus, and those of the views behind its tabs. */
export async function linksOf(page: Page): Promise<string[]> {
  return [...(await hrefs(page)), ...(await menuHrefs(page)), ...(await tabHrefs(page))]
}
