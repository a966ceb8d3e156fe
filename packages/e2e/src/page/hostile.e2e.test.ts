// Goal: what a hostile agent writes does no harm: nothing runs, nothing is asked of an outside machine, no text is turned around, the page stays usable.
// Method: a flow that writes the worst, in the name of a step, in results, logs, questions, its own description and inputs; each view of its run and every page that shows it, in a real browser.
import type { Browser, Page, Request } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { OUTSIDE } from '../flows/page-flows.ts'
import { PASSWORD } from '../processes/installation.ts'
import { embedded, PAGE_FLOWS, type Stack } from '../processes/stacks.ts'
import { openBrowser, seen, signIn } from './browser.ts'

let browser: Browser
let stack: Stack
beforeAll(async () => {
  browser = await openBrowser(inject('chromium'))
  stack = await embedded({ KODO_FLOWS: PAGE_FLOWS })
})
afterAll(async () => {
  await browser.close()
  await stack.close()
})

/** Every address outside of the panel that a page asks for from now on; not what the browser itself stops by the page's policy. */
function watchOutside(page: Page): readonly string[] {
  const asked: string[] = []
  const note = (request: Request): void => {
    const { protocol, host } = new URL(request.url())
    const why = request.failure()?.errorText ?? 'answered'
    if (protocol.startsWith('http') && host !== new URL(stack.address).host && why !== 'csp') asked.push(`${request.url()} ${why}`)
  }
  page.on('requestfinished', note)
  page.on('requestfailed', note)
  return asked
}

test('hostile output is shown and does nothing', async () => {
  const client = await stack.client()
  const fid = await client.start('hostile', {})
  await expect.poll(async () => (await client.run(fid)).status, { timeout: 60_000 }).toBe('awaiting')
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  const outside = watchOutside(page)
  for (const path of [
    '/flows',
    '/flows/hostile',
    '/runs',
    '/approvals',
    ...['timeline', 'steps', 'logs', 'inputs', 'about'].map((tab) => `/runs/${fid}?tab=${tab}`),
  ]) {
    await page.goto(stack.address + path)
    await seen(page.getByRole('main').getByRole('heading', { level: 1 }))
    await page.waitForLoadState('networkidle', { timeout: 3_000 }).catch(() => undefined)
    expect(await page.evaluate('window.harmed'), path).toBeUndefined()
    expect(await page.locator('a[href^="javascript:" i], a[href^="data:" i]').count(), path).toBe(0)
    expect(await page.locator(`img[src*="${OUTSIDE}"], link[href*="${OUTSIDE}"]`).count(), path).toBe(0)
  }
  await page.getByRole('button', { name: 'Answer', exact: true }).first().click()
  await seen(page.getByText('Finished'))
  await page.goto(`${stack.address}/runs/${fid}?tab=result`)
  const frame = page.locator('iframe').first()
  await seen(frame)
  expect(await frame.getAttribute('sandbox')).toBe('')
  expect(await page.evaluate('window.harmed')).toBeUndefined()
  expect(outside).toEqual([])
  expect(errors).toEqual([])
  await page.context().close()
})

test('a megabyte of one line and a bomb of escapes leave the logs usable, and no text is turned around', async () => {
  const client = await stack.client()
  const fid = await client.start('hostile', {})
  const { page } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/runs/${fid}?tab=logs`)
  await seen(page.getByText(/x{100}/))
  const text = await page.getByRole('main').innerText()
  // oxlint-disable-next-line eslint/no-control-regex -- escapes are what must not be there
  expect(text).not.toMatch(/[\u001B\u0007\u202A-\u202E\u2066-\u2069]/)
  await page.getByRole('tab', { name: 'Inputs' }).click()
  await seen(page.getByText('invoice_', { exact: false }))
  await page.context().close()
})
