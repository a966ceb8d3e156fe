// Goal: a person makes a checkpoint in the page, sees what going back would change, branches, compares and merges. Method: real processes, headless Chromium; sessions and their files are made by the API and on disk.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { ApiClient } from '../processes/api-client.ts'
import { PASSWORD } from '../processes/installation.ts'
import { embedded, type Stack } from '../processes/stacks.ts'
import { openBrowser, seen, signIn } from './browser.ts'

const PLAN = '# Lisbon\n\n- Belém\n- Alfama\n- Sintra\n'

let browser: Browser
let stack: Stack
let client: ApiClient
beforeAll(async () => {
  browser = await openBrowser(inject('chromium'))
  stack = await embedded()
  client = await stack.client()
})
afterAll(async () => {
  await browser.close()
  await stack.close()
})

const planOf = (session: string): string => join(stack.dir, 'data/workspaces/admin', session, 'plan.md')

async function makeSession(): Promise<string> {
  const messages = [
    { role: 'user', content: 'Plan three days in Lisbon.' },
    { role: 'assistant', content: 'Belém, Alfama and Sintra: the plan is in plan.md.' },
  ]
  const { session } = await client.json<{ session: { session_id: string } }>('POST', '/api/session/import', { title: 'Lisbon', messages })
  await write(session.session_id, PLAN)
  return session.session_id
}

async function write(session: string, plan: string): Promise<void> {
  await mkdir(join(planOf(session), '..'), { recursive: true })
  await writeFile(planOf(session), plan)
}

const make = async (session: string, description: string, parent: string | null, tags: readonly string[] = []): Promise<string> =>
  (await client.json<{ id: string }>('POST', '/api/checkpoints', { session_id: session, description, parent_id: parent, tags })).id

async function restoreInPlace(page: Page, session: string): Promise<void> {
  await write(session, PLAN.replace('Sintra', 'Cascais'))
  await page.getByRole('button', { name: 'Restore The first plan' }).click()
  const dialog = page.getByRole('dialog')
  await seen(dialog.getByText('The session that it was made of stays as it is.'))
  await dialog.getByText('In place', { exact: true }).click()
  await seen(dialog.getByText('Change: plan.md'))
  await dialog.getByRole('button', { name: 'Put it back' }).click()
  await seen(page.getByText('The session is as it was'))
  expect(await readFile(planOf(session), 'utf8')).toBe(PLAN)
}

test('a checkpoint is made, and its session put back after a look at what that changes', async () => {
  const session = await makeSession()
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.getByRole('link', { name: 'Checkpoints' }).click()
  await seen(page.getByText('No checkpoints yet'))
  await page.getByRole('button', { name: 'Make a checkpoint' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('combobox', { name: 'Session' }).click()
  await page.getByRole('option', { name: /Lisbon/ }).click()
  await dialog.getByLabel('Description').fill('The first plan')
  await dialog.getByRole('button', { name: 'Make it' }).click()
  await seen(page.getByText('The checkpoint is made.'))
  await restoreInPlace(page, session)
  await seen(page.getByText('Before restoring “The first plan”'))
  expect(errors).toEqual([])
  await page.close()
})

test('branches are seen, compared and merged; conflicts are decided', async () => {
  const session = await makeSession()
  const base = await make(session, 'Three days planned', null, ['plan'])
  const { session_id: other } = await client.json<{ session_id: string }>('POST', `/api/checkpoints/${base}/restore`, {})
  await write(session, PLAN.replace('Sintra', 'Sintra by train'))
  await write(other, PLAN.replace('Sintra', 'Cascais by the sea').replace('# Lisbon', '# Lisbon in May'))
  const ours = await make(session, 'By train', base, ['train'])
  await make(other, 'By the sea', base, ['sea'])
  await client.json('POST', `/api/checkpoints/${ours}/lock`, { reason: 'agreed' })
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/checkpoints?session=${session}`)
  await seen(page.getByRole('heading', { name: 'Branches' }))
  await page.getByLabel('Choose By train to compare').check()
  await page.getByLabel('Choose By the sea to compare').check()
  await seen(page.getByText('- Cascais by the sea', { exact: false }))
  await page.getByRole('button', { name: 'Merge' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Merge', exact: true }).click()
  await seen(dialog.getByText('Both changed it'))
  await dialog.getByRole('combobox', { name: 'plan.md' }).click()
  await page.getByRole('option', { name: 'The second' }).click()
  await dialog.getByRole('button', { name: 'Merge with these choices' }).click()
  const done = page.getByText(/Session [0-9a-f]{12} has both/)
  await seen(done)
  const merged = /[0-9a-f]{12}/.exec((await done.textContent()) ?? '')?.[0] ?? ''
  expect(await readFile(planOf(merged), 'utf8')).toBe('# Lisbon in May\n\n- Belém\n- Alfama\n- Cascais by the sea\n')
  await seen(page.getByText('Merge of “By train” and “By the sea”'))
  expect(errors).toEqual([])
  await page.close()
})

test('a run is forked at a step with another result of it, after a look at the plan, and both are compared', async () => {
  const { fid } = await client.startAndWait('three-steps', {})
  const at = (await client.events(fid)).find(({ kind, data }) => kind === 'step' && data['phase'] === 'finished')?.position ?? ''
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/runs/${fid}?tab=timeline&at=${at}`)
  await page.getByRole('button', { name: 'Fork from here' }).click()
  const dialog = page.getByRole('dialog')
  await seen(dialog.getByText('Done again, as far as this run came'))
  await dialog.getByRole('button', { name: 'Change its result' }).click()
  const field = dialog.getByLabel('Result of one')
  await field.fill('{')
  await seen(dialog.getByText('This is no JSON.'))
  await field.fill('10')
  await seen(dialog.getByText('other result'))
  await dialog.getByRole('button', { name: 'Start the fork' }).click()
  await page.waitForURL((url) => url.pathname.startsWith('/runs/') && !url.pathname.includes(fid))
  const forked = new URL(page.url()).pathname.slice('/runs/'.length)
  await expect
    .poll(async () => (await client.json<{ final: { value: unknown } | null }>('GET', `/api/runs/${forked}`)).final?.value, { timeout: 60_000 })
    .toBe(12)
  await page.goto(`${stack.address}/compare?a=${fid}&b=${forked}`)
  await seen(page.getByRole('cell', { name: '11' }))
  expect(errors).toEqual([])
  await page.close()
})
