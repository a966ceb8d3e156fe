// Goal: every page holds for everybody: its links lead somewhere, it can be used with a screen reader and by weak eyes, and by the keyboard alone. Method: a real browser on each page and view of an installation with
// something of each kind: each link followed, axe-core wide and narrow, light and dark, Tab pressed from top to end.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { PASSWORD } from '../processes/installation.ts'
import { findings } from './axe.ts'
import { openBrowser, seen, signIn } from './browser.ts'
import { faultOf, kindOf, linksOf } from './crawl.ts'
import { livedIn, type LivedIn } from './lived-in.ts'
import { everyPage, openPage } from './pages.ts'
import { walk } from './tab-walk.ts'

let browser: Browser
let at: LivedIn
beforeAll(async () => {
  browser = await openBrowser(inject('chromium'))
  at = await livedIn()
})
afterAll(async () => {
  await browser.close()
  await at.stack.close()
})

test('every link of every page leads somewhere', async () => {
  const { page, errors } = await signIn(browser, at.stack.address, PASSWORD)
  const { runs, stack, client } = at
  const asked = new Map<string, string>()
  const todo = [...everyPage(at), ...Object.values(runs).map((fid) => `/runs/${fid}`)].map((path) => stack.address + path)
  const bad: Record<string, string> = {}
  for (let href = todo.shift(); href !== undefined; href = todo.shift()) {
    const kind = Object.values(runs).some((fid) => href?.endsWith(`/runs/${fid}`)) ? href : kindOf(href)
    // What leads away from this machine is not asked for.
    if (new URL(href).origin !== new URL(stack.address).origin || asked.has(kind)) continue
    asked.set(kind, href)
    const { pathname, search } = new URL(href)
    if (/^\/(?:api|docs|openapi)/.test(pathname)) {
      const { status } = await client.request('GET', pathname + search)
      if (status >= 400) bad[href] = String(status)
      continue
    }
    const fault = await faultOf(page, href)
    if (fault !== undefined) bad[href] = fault
    todo.push(...(await linksOf(page)))
  }
  expect(bad).toEqual({})
  expect(errors).toEqual([])
  const kinds = [...asked.keys()]
  for (const part of [
    '/flows/',
    '/runs?',
    '/chat',
    '/approvals',
    '/schedules',
    '/checkpoints',
    '/insights',
    '/operations/budgets',
    '/operations/audit',
    '/webhooks',
    '/users',
    '/settings',
    '/docs',
    '/export',
    '/report',
    '/files/',
  ])
    expect(kinds.filter((kind) => kind.includes(part))).not.toEqual([])
  await page.context().close()
})

/** Looks of a page, one after the other on the same page; in the dark only what colours can spoil is looked for. */
const LOOKS = [
  { look: 'wide, light', width: 1440, colorScheme: 'light', rules: [] },
  { look: 'wide, dark', width: 1440, colorScheme: 'dark', rules: ['color-contrast', 'link-in-text-block'] },
  { look: 'narrow, dark', width: 390, colorScheme: 'dark', rules: [] },
] as const

test('no page has a serious finding: wide and narrow, light and dark', async () => {
  const { page, errors } = await signIn(browser, at.stack.address, PASSWORD, { reducedMotion: 'reduce' })
  const found: Record<string, string[]> = {}
  for (const path of everyPage(at)) {
    await openPage(page, at.stack.address + path)
    for (const { look, width, colorScheme, rules } of LOOKS) {
      await page.setViewportSize({ width, height: 900 })
      await page.emulateMedia({ colorScheme })
      await seen(page.locator(`html[data-mantine-color-scheme=${colorScheme}]`))
      // A colour on its way to another is none that a person reads.
      await page.evaluate('for (const one of document.getAnimations()) if (one.effect.getComputedTiming().iterations !== Infinity) one.finish()')
      const serious = await findings(page, rules)
      if (serious.length > 0) found[`${path} ${look}`] = serious
    }
  }
  expect(found).toEqual({})
  expect(errors).toEqual([])
  await page.context().close()
})

/** What a person opens over a page, by what they press or do. */
const OPENED: Readonly<Record<string, readonly [path: string, open: (page: Page) => Promise<void>]>> = {
  palette: ['/flows', (page) => page.keyboard.press('Control+k')],
  keys: ['/runs', (page) => page.keyboard.press('?')],
  'add a user': ['/users', (page) => page.getByRole('button', { name: 'Add a user' }).click()],
  'add a webhook': ['/webhooks', (page) => page.getByRole('button', { name: 'Add a webhook' }).click()],
  'set a budget': ['/operations/budgets', (page) => page.getByRole('button', { name: 'Set a budget' }).click()],
  'make a checkpoint': ['/checkpoints', (page) => page.getByRole('button', { name: 'Make a checkpoint' }).click()],
  'choose runs': ['/runs', (page) => page.getByRole('button', { name: 'Choose', exact: true }).click()],
}

test('nothing that is opened over a page has a serious finding', async () => {
  const { page, errors } = await signIn(browser, at.stack.address, PASSWORD, { reducedMotion: 'reduce' })
  const found: Record<string, string[]> = {}
  for (const [what, [path, open]] of Object.entries(OPENED)) {
    await openPage(page, at.stack.address + path)
    await open(page)
    await seen(page.getByRole('dialog').or(page.getByRole('toolbar')))
    const serious = await findings(page)
    if (serious.length > 0) found[what] = serious
  }
  expect(found).toEqual({})
  expect(errors).toEqual([])
  await page.context().close()
})

test('neither has the sign-in page', async () => {
  const page = await browser.newPage()
  await page.goto(at.stack.address)
  await seen(page.getByRole('button', { name: 'Sign in' }))
  expect(await findings(page)).toEqual([])
  await page.close()
})

test('Tab reaches everything on every page and shows where it is', async () => {
  const { page, errors } = await signIn(browser, at.stack.address, PASSWORD, { viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' })
  const found: Record<string, string[]> = {}
  for (const path of everyPage(at)) {
    await openPage(page, at.stack.address + path)
    const faults = await walk(page)
    if (faults.length > 0) found[path] = faults.slice(0, 5)
  }
  expect(found).toEqual({})
  expect(errors).toEqual([])
  await page.context().close()
})

test('the first Tab on a page offers to skip what is the same on all', async () => {
  const { page } = await signIn(browser, at.stack.address, PASSWORD)
  await openPage(page, `${at.stack.address}/runs`)
  await page.keyboard.press('Tab')
  const skip = page.locator(':focus')
  expect(await skip.innerText()).toMatch(/skip|content/i)
  await page.keyboard.press('Enter')
  await expect.poll(() => page.evaluate('document.activeElement?.closest("main") !== null || document.activeElement?.tagName === "MAIN"')).toBe(true)
  await page.context().close()
})

test('a dialog keeps the focus while it is open and gives it back', async () => {
  const { page } = await signIn(browser, at.stack.address, PASSWORD)
  await openPage(page, `${at.stack.address}/users`)
  const opener = page.getByRole('button', { name: 'Add a user' })
  await opener.focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await seen(dialog)
  for (let presses = 0; presses < 20; presses += 1) {
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement?.closest("[role=dialog], [role=listbox]") !== null')).toBe(true)
  }
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await expect.poll(() => opener.evaluate((button) => button.matches(':focus'))).toBe(true)
  await page.context().close()
})
