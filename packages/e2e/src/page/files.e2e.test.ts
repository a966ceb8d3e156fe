// Goal: a person gives a run large files over a bad line and looks at what it made, and nothing of a file acts in the page. Method: real processes, headless Chromium, a slow line; the upload is paused,
// the page loaded anew, the server killed in the middle, the run asked for before its files are there.
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newFolder } from '@koco/testing'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { PASSWORD } from '../processes/installation.ts'
import { embedded, type Stack } from '../processes/stacks.ts'
import { openBrowser, seen, signIn } from './browser.ts'

const FLOWS = fileURLToPath(new URL('../flows/file-flows.ts', import.meta.url))
const BYTES = 24_000_000

const folder = newFolder('files-e2e')
let browser: Browser
let stack: Stack
beforeAll(async () => {
  browser = await openBrowser(inject('chromium'))
  stack = await embedded({ KODO_FLOWS: FLOWS })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'big.bin'), randomBytes(BYTES))
  writeFileSync(join(folder, 'small.csv'), 'a,b\n1,2\n')
})
afterAll(async () => {
  await browser.close()
  await stack.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A line that takes so many bytes a second; -1: all. */
async function line(page: Page, bytesPerS: number): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerS })
}

/** What the run came to on whose page the browser stands. */
async function resultOf(page: Page): Promise<{ readonly size: number; readonly more: string[] }> {
  const client = await stack.client()
  const fid = /[0-9a-f]{24}/.exec(page.url())?.[0] ?? ''
  await vi.waitUntil(async () => (await client.run(fid)).status === 'finished', { timeout: 60_000, interval: 100 })
  return (await client.run(fid)).final?.value as { size: number; more: string[] }
}

test('a large file goes on after a pause, a reload and the death of the server; the run starts when it is there', async () => {
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/flows/tables`)
  const choosers = page.locator('input[type=file]')
  await choosers.nth(1).waitFor({ state: 'attached' })
  await line(page, 4_000_000)
  await choosers.nth(0).setInputFiles(join(folder, 'big.bin'))
  const row = page.getByRole('listitem').filter({ hasText: 'big.bin' })
  await seen(row.getByText(/[1-9]\d? % of/))
  await row.getByLabel('Pause big.bin').click()
  await seen(row.getByText(/paused at/))
  await page.reload()
  await seen(row.getByText('Choose the same file'))
  await row.locator('input[type=file]').setInputFiles(join(folder, 'small.csv'))
  await seen(row.getByText('That was another file'))
  // So slow that the run is asked for and the server dies before the file is there, however slow the machine.
  await line(page, 1_500_000)
  await row.locator('input[type=file]').setInputFiles(join(folder, 'big.bin'))
  await page.locator('input[type=file]').last().setInputFiles(join(folder, 'small.csv'))
  await page.getByRole('button', { name: 'Start run' }).click()
  await seen(row.getByText(/[3-9]\d % of/))
  await stack.crashPanel(async () => undefined)
  await line(page, -1)
  await page.waitForURL(/\/runs\/[0-9a-f]{24}/, { timeout: 120_000 })
  expect(await resultOf(page)).toEqual({ size: BYTES, more: ['a,b\n1,2\n'] })
  await lookAtFiles(page)
  expect(errors).toEqual([])
  await page.close()
})

async function lookAtFiles(page: Page): Promise<void> {
  await page.getByRole('tab', { name: /Files/ }).click()
  await page.getByRole('button', { name: 'report.md' }).click()
  await seen(page.getByRole('heading', { name: `${BYTES} bytes` }))
  expect(await page.title()).not.toBe('hacked')
  await page.getByRole('button', { name: 'data/cities.csv' }).click()
  await seen(page.getByRole('cell', { name: 'Oslo, by boat' }))
  const download = page.waitForEvent('download')
  await page.getByLabel('Download out/report.md').click()
  expect((await download).suggestedFilename()).toBe('report.md')
}

test('a finished run is started again with its files', async () => {
  const { page } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/runs`)
  await page.getByRole('listitem').filter({ hasText: 'tables' }).getByRole('link').first().click()
  await page.getByRole('link', { name: 'Run again' }).click()
  await seen(page.getByRole('listitem').filter({ hasText: 'big.bin' }))
  await page.getByRole('button', { name: 'Start run' }).click()
  await page.waitForURL(/\/runs\/[0-9a-f]{24}/)
  expect(await resultOf(page)).toMatchObject({ size: BYTES })
  await page.close()
})

test('a run that is asked for before the server has named its files gets them all; leaving while files are under way is asked about', async () => {
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/flows/tables`)
  await page.locator('input[type=file]').nth(1).waitFor({ state: 'attached' })
  const held = Promise.withResolvers<void>()
  await page.route('**/api/uploads', async (route) => {
    await held.promise
    await route.continue()
  })
  const names = ['1.csv', '2.csv', '3.csv', '4.csv', '5.csv']
  await page.locator('input[type=file]').nth(0).setInputFiles(join(folder, 'small.csv'))
  await page
    .locator('input[type=file]')
    .last()
    .setInputFiles(names.map((name) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(name) })))
  await seen(page.getByText('5.csv'))
  const asked = page.waitForEvent('dialog')
  const reload = page.evaluate('location.reload()').catch(() => undefined)
  const dialog = await asked
  expect(dialog.type()).toBe('beforeunload')
  await dialog.dismiss()
  await reload
  const start = page.getByRole('button', { name: 'Start run' })
  await start.click()
  await expect.poll(() => start.getAttribute('data-loading')).toBe('true')
  held.resolve()
  await page.waitForURL(/\/runs\/[0-9a-f]{24}/)
  expect((await resultOf(page)).more.toSorted()).toEqual(names)
  expect(errors).toEqual([])
  await page.close()
})

test('a file that the server refuses keeps the run from starting until it is taken out', async () => {
  const { page } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/flows/tables`)
  await page.locator('input[type=file]').nth(1).waitFor({ state: 'attached' })
  await page.route(
    '**/api/uploads',
    (route) => route.fulfill({ status: 413, contentType: 'application/problem+json', body: '{"detail":"Too large for this house."}' }),
    { times: 1 },
  )
  await page
    .locator('input[type=file]')
    .last()
    .setInputFiles({ name: 'huge.csv', mimeType: 'text/csv', buffer: Buffer.from('huge') })
  await seen(page.getByText('Too large for this house.'))
  await page.locator('input[type=file]').nth(0).setInputFiles(join(folder, 'small.csv'))
  await page.getByRole('button', { name: 'Start run' }).click()
  await seen(page.getByText('“huge.csv” could not be sent: Too large for this house.'))
  await page.getByLabel('Take out huge.csv').click()
  await page.getByRole('button', { name: 'Start run' }).click()
  await page.waitForURL(/\/runs\/[0-9a-f]{24}/)
  expect((await resultOf(page)).more).toEqual([])
  await page.close()
})
