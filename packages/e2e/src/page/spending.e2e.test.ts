// Goal: operators bound what runs spend, those who are named answer, and what was spent and done can be read. Method: one embedded installation, two people in a real browser, the outcome read from the API.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import type { ApiClient } from '../processes/api-client.ts'
import { PASSWORD } from '../processes/installation.ts'
import { embedded, PAGE_FLOWS, type Stack } from '../processes/stacks.ts'
import { openBrowser, seen, signIn } from './browser.ts'

const ANN = 'a long password of ann'

let browser: Browser
let stack: Stack
let client: ApiClient
let admin: Page
beforeAll(async () => {
  browser = await openBrowser(inject('chromium'))
  stack = await embedded({ KODO_FLOWS: PAGE_FLOWS })
  client = await stack.client()
  await client.json('POST', '/api/users', { name: 'ann', email: 'ann@example.com', role: 'user', password: ANN })
  admin = (await signIn(browser, stack.address, PASSWORD)).page
})
afterAll(async () => {
  await browser.close()
  await stack.close()
})

const isIn = (fid: string, status: string) => vi.waitUntil(async () => (await client.run(fid)).status === status, { timeout: 60_000, interval: 50 })

test('a budget set on the page holds a run, and the answer in the inbox lets it go on', async () => {
  await admin.goto(`${stack.address}/operations/budgets`)
  await admin.getByRole('button', { name: 'Set a budget' }).click()
  const dialog = admin.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Name' }).fill('small')
  await dialog.getByRole('textbox', { name: 'Cost, at most' }).fill('2')
  await dialog.getByRole('button', { name: 'Set', exact: true }).click()
  await seen(admin.getByRole('cell', { name: /^small admin/ }))
  const fid = await client.start('spending', { calls: 3 })
  await isIn(fid, 'awaiting')
  await admin.goto(`${stack.address}/approvals`)
  const card = admin.getByRole('region', { name: 'Question: Budget "small"' })
  await seen(card.getByText('This run has come to a cost of 2 of the 2 that the budget allows'))
  await card.getByRole('button', { name: 'Answer', exact: true }).click()
  await seen(card.getByText('Required', { exact: true }))
  await card.getByRole('radio', { name: 'go on' }).check()
  await card.getByRole('textbox', { name: 'Reason' }).fill('The report is due today.')
  await card.getByRole('button', { name: 'Answer', exact: true }).click()
  await isIn(fid, 'finished')
  await admin.getByRole('tab', { name: 'Answered' }).click()
  await seen(admin.getByText('“The report is due today.”'))
  await admin.goto(`${stack.address}/runs/${fid}?tab=timeline`)
  await seen(admin.getByText('The report is due today.'))
  expect((await client.events(fid)).find(({ kind }) => kind === 'lease')?.data).toMatchObject({ by: 'admin', reason: 'The report is due today.' })
})

test('who is named answers the question of a run that is not theirs; others only watch', async () => {
  const fid = await client.start('signed', {})
  await isIn(fid, 'awaiting')
  const { page: ann } = await signIn(browser, stack.address, ANN, { login: 'ann' })
  await expect.poll(() => ann.title(), { timeout: 60_000 }).toMatch(/^\(1\) /)
  await ann.goto(`${stack.address}/approvals`)
  const card = ann.getByRole('region', { name: 'Question: Sign it?' })
  await seen(card.getByText('For ann or an operator to answer.'))
  await card.getByRole('checkbox', { name: 'Sign' }).check()
  await card.getByRole('button', { name: 'Answer', exact: true }).click()
  await isIn(fid, 'finished')
  await seen(ann.getByText('Nothing waits for you'))
  expect((await client.events(fid)).find(({ kind }) => kind === 'lease')?.data).toMatchObject({ by: 'ann', answer: { sign: true } })
  const hers = await client.json<{ fid: string }>('POST', '/api/runs', { flow: 'signed', inputs: {} })
  await isIn(hers.fid, 'awaiting')
  await admin.goto(`${stack.address}/approvals`)
  await seen(admin.getByText('Nothing waits for you'))
  await admin.getByRole('tab', { name: 'To answer' }).click()
  await seen(admin.getByRole('region', { name: 'Question: Sign it?' }))
  await ann.context().close()
})

test('what nobody answers comes into the inbox of those to whom it is put next, and the timeline says so', async () => {
  const { page: ann } = await signIn(browser, stack.address, ANN, { login: 'ann' })
  const fid = await client.start('refund', {})
  await ann.goto(`${stack.address}/approvals`)
  const card = ann.getByRole('region', { name: 'Question: Refund it?' })
  await seen(card.getByText(/^Escalated /))
  await seen(card.getByText('For vera, ann or an operator to answer.'))
  await seen(card.getByText(/^Without an answer it is for vera, ann, anybody of role user or an operator in /))
  await card.getByRole('checkbox', { name: 'Refund' }).check()
  await card.getByRole('button', { name: 'Answer', exact: true }).click()
  await isIn(fid, 'finished')
  const events = await client.events(fid)
  // The run was put aside meanwhile, and woke for it.
  expect(events.flatMap(({ kind, data }) => (kind === 'attempt' ? [(data as { reason: string }).reason] : []))).toContain('wake')
  expect(events.filter(({ kind }) => kind === 'escalate').map(({ data }) => data)).toMatchObject([{ step: 1, assignees: ['vera', 'ann'] }])
  await admin.goto(`${stack.address}/runs/${fid}?tab=timeline`)
  await seen(admin.getByText('Nobody answered yet: vera, ann may too'))
  await ann.context().close()
})

test('the figures and the log say what was spent and who did what', async () => {
  await admin.goto(`${stack.address}/insights`)
  await seen(admin.getByRole('region', { name: 'Models' }).getByRole('row', { name: /large acme 3/ }))
  await seen(admin.getByText('$3.00'))
  await admin.getByText('Table', { exact: true }).click()
  await seen(admin.getByRole('region', { name: 'By day' }).getByRole('cell', { name: '$3.00' }))
  await admin.goto(`${stack.address}/operations/audit`)
  const log = admin.getByRole('region', { name: 'Audit log' })
  await seen(log.getByRole('row', { name: /ann lock.answer/ }))
  await seen(log.getByRole('row', { name: /admin budget.set small done/ }))
  await admin.getByRole('textbox', { name: 'Who' }).fill('ann')
  await expect.poll(() => log.getByRole('row', { name: /budget.set/ }).count(), { timeout: 60_000 }).toBe(0)
  expect(new URL(admin.url()).searchParams.get('actor')).toBe('ann')
  await admin.getByRole('button', { name: 'Export' }).click()
  const download = admin.waitForEvent('download')
  await admin.getByRole('menuitem', { name: 'Table (CSV)' }).click()
  expect((await download).suggestedFilename()).toBe('audit.csv')
})
