// Goal: what people do all day holds: two tabs, the keyboard alone, a nervous double click, every link, fewer rights, an update under an open page. Method: real processes, a real browser; what happened is counted in the API.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { ApiClient } from '../processes/api-client.ts'
import { PASSWORD } from '../processes/installation.ts'
import { embedded, PAGE_FLOWS, type Stack } from '../processes/stacks.ts'
import { openBrowser, seen, signIn } from './browser.ts'

type List = { readonly items: readonly { readonly fid: string; readonly about: string }[] }

let browser: Browser
let stack: Stack
let client: ApiClient
beforeAll(async () => {
  browser = await openBrowser(inject('chromium'))
  stack = await embedded({ KODO_FLOWS: PAGE_FLOWS })
  client = await stack.client()
})
afterAll(async () => {
  await browser.close()
  await stack.close()
})

const runsWith = async (q: string): Promise<List['items']> => (await client.json<List>('GET', `/api/runs?q=${q}`)).items

test('a double click starts one run, and the form says in words what it needs', async () => {
  const { page } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/flows/asked`)
  const start = page.getByRole('button', { name: 'Start run' })
  await start.click()
  await seen(page.getByText('Required', { exact: true }))
  await page.getByLabel('Name').fill('D')
  await start.click()
  await seen(page.getByText('At least 2 characters'))
  await page.getByLabel('Name').fill('Doubleclick')
  await start.dblclick()
  await page.waitForURL(/\/runs\/[0-9a-f]{24}/)
  await seen(page.getByRole('heading', { level: 1, name: 'asked name=Doubleclick' }))
  expect(await runsWith('doubleclick')).toHaveLength(1)
  await page.context().close()
})

test('two tabs see the same run, and the second to answer is told of the first', async () => {
  const fid = await client.start('waiting', { n: 2 })
  const { page: one } = await signIn(browser, stack.address, PASSWORD)
  const two = await one.context().newPage()
  for (const page of [one, two]) {
    await page.goto(`${stack.address}/runs/${fid}`)
    await seen(page.getByRole('button', { name: 'Answer', exact: true }))
  }
  // The second tab must not hear of the answer before it answers itself.
  await two.route('**/api/runs/**', (route) => (route.request().method() === 'POST' ? route.continue() : route.abort()))
  await one.getByRole('button', { name: 'Answer', exact: true }).click()
  await seen(one.getByText('Finished'))
  await two.getByRole('button', { name: 'Answer', exact: true }).click()
  await seen(two.getByText('admin was first: the question is answered.'))
  await two.unroute('**/api/runs/**')
  await two.reload()
  await seen(two.getByText('Finished'))
  expect((await client.run(fid)).status).toBe('finished')
  await one.context().close()
})

test('by the keyboard alone: sign in, find a flow, start it, go to the runs, open the run', async () => {
  const page = await browser.newPage()
  await page.goto(stack.address)
  await seen(page.getByLabel('Name or email'))
  await page.keyboard.type('admin')
  await page.keyboard.press('Tab')
  await page.keyboard.type(PASSWORD)
  await page.keyboard.press('Enter')
  await seen(page.getByRole('heading', { level: 1, name: 'Flows' }))
  await page.keyboard.press('Control+k')
  await seen(page.getByPlaceholder(/^Search pages/))
  await page.keyboard.type('asked')
  await seen(page.getByRole('button', { name: /asked/ }).or(page.getByText('Takes a name of two letters')))
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/flows\/asked/)
  const name = page.getByLabel('Name')
  await seen(name)
  for (let presses = 0; presses < 30 && !(await name.evaluate((field) => field.matches(':focus'))); presses += 1) await page.keyboard.press('Tab')
  await page.keyboard.type('Keyboard')
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/runs\/[0-9a-f]{24}/)
  await seen(page.getByRole('heading', { level: 1, name: 'asked name=Keyboard' }))
  await page.keyboard.press('g')
  await page.keyboard.press('r')
  await page.waitForURL(/\/runs$/)
  await seen(page.getByRole('listitem').filter({ hasText: 'name=Keyboard' }))
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/runs\/[0-9a-f]{24}/)
  expect(await runsWith('keyboard')).toHaveLength(1)
  await page.context().close()
})

test('many runs are chosen and cancelled at once, each with its outcome', async () => {
  const fids = await Promise.all([71, 72, 73].map((n) => client.start('waiting', { n })))
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/runs?flow=waiting&status=awaiting,running,starting`)
  await seen(page.getByText('n=73'))
  await page.getByRole('button', { name: 'Choose', exact: true }).click()
  await page.getByRole('button', { name: /Choose the \d+ shown/ }).click()
  await page.getByRole('toolbar').getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await seen(page.getByText(/Cancel: [1-9]\d* accepted$/))
  await expect.poll(async () => (await Promise.all(fids.map((fid) => client.run(fid)))).map((run) => run.status)).toEqual(fids.map(() => 'cancelled'))
  expect(errors).toEqual([])
  await page.context().close()
})

test('runs that were archived together come back together', async () => {
  const fids = await Promise.all([1, 2, 3].map(async (n) => (await client.startAndWait('stepping', { n: 80 + n })).fid))
  const archived = async () => (await Promise.all(fids.map((fid) => client.json<{ archived: boolean }>('GET', `/api/runs/${fid}`)))).map((run) => run.archived)
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/runs?flow=stepping`)
  await seen(page.getByText('n=83'))
  await page.getByRole('button', { name: 'Choose', exact: true }).click()
  await page.getByRole('button', { name: /Choose the \d+ shown/ }).click()
  await page.getByRole('toolbar').getByRole('button', { name: 'Archive' }).click()
  const dialog = page.getByRole('dialog')
  const done = (action: string) =>
    Promise.all([seen(dialog.getByText(new RegExp(`${action}: [1-9]\\d* accepted$`))), seen(dialog.getByText('Each request is kept'))])
  await done('Archive')
  expect(await archived()).toEqual([true, true, true])
  await dialog.getByRole('button', { name: 'Undo' }).click()
  await done('Bring back')
  expect(await archived()).toEqual([false, false, false])
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await seen(page.getByText('n=83'))
  expect(errors).toEqual([])
  await page.context().close()
})

test('each link of the navigation leads to a page', async () => {
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  const links = page.getByRole('navigation', { name: 'Pages' }).getByRole('link')
  await seen(links)
  const count = await links.count()
  expect(count).toBeGreaterThan(3)
  for (let index = 0; index < count; index += 1) {
    const label = (await links.nth(index).innerText()).split('\n')[0] ?? ''
    await links.nth(index).click()
    await seen(page.getByRole('main').getByRole('heading', { level: 1, name: label }))
  }
  await page.goto(`${stack.address}/no/such/page`)
  await seen(page.getByText('There is no such page'))
  expect(errors).toEqual([])
  await page.context().close()
})

test('a viewer sees no button that they may not use', async () => {
  const made = await client.json<{ password: string; id: string }>('POST', '/api/users', { name: 'vera', email: 'vera@example.com', role: 'viewer' })
  const { page, errors } = await signIn(browser, stack.address, made.password, { login: 'vera' })
  await page.goto(`${stack.address}/flows/asked`)
  await seen(page.getByRole('heading', { level: 1, name: 'asked' }))
  await seen(page.getByText('How to call it'))
  const start = page.getByRole('button', { name: 'Start run' })
  expect((await start.count()) === 0 || (await start.isDisabled())).toBe(true)
  await page.goto(`${stack.address}/runs`)
  await seen(page.getByText('No runs yet'))
  for (const name of ['Operations', 'Users']) expect(await page.getByRole('link', { name }).count()).toBe(0)
  await page.goto(`${stack.address}/operations`)
  await seen(page.getByText(/operators only|may not/i))
  expect(errors).toEqual([])
  await page.context().close()
})

test('a page that is open over an update offers to load the new one', async () => {
  const { page } = await signIn(browser, stack.address, PASSWORD)
  await page.route('**/assets/settings-page-*.js', (route) => route.fulfill({ status: 404, body: 'gone' }))
  await page.getByRole('link', { name: 'Settings' }).hover()
  await seen(page.getByText('koco was updated'))
  await page.unroute('**/assets/settings-page-*.js')
  await page.getByRole('button', { name: 'Load the page anew' }).first().click()
  await page.getByRole('link', { name: 'Settings' }).click()
  await seen(page.getByRole('heading', { level: 1, name: 'Settings' }))
  expect(await page.getByText('koco was updated').count()).toBe(0)
  await page.context().close()
})
