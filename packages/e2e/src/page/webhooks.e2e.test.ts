// Goal: a person sets up a webhook by the page, sees that notices arrive, sees why one does not, and has it sent again; what a paused one missed is delivered when it goes on.
// Method: a real browser, a real installation, and a real HTTP server as the receiver, which checks each signature by the words of Standard Webhooks.
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { must } from '@koco/core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { PASSWORD } from '../processes/installation.ts'
import { embedded, PAGE_FLOWS, type Stack } from '../processes/stacks.ts'
import { openBrowser, seen, signIn } from './browser.ts'

/** The notices that came with the right signature, in order; `status`: what they are answered, a wrong signature is refused. */
const receiver = { status: 204, secret: '', types: [] as string[], ids: [] as string[] }
let server: Server
let browser: Browser
let stack: Stack
beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const isSigned = request.headers['webhook-signature'] === signature(request.headers, body)
      if (isSigned) receiver.types.push((JSON.parse(body) as { type: string }).type)
      if (isSigned) receiver.ids.push(String(request.headers['webhook-id']))
      response.writeHead(isSigned ? receiver.status : 401).end()
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  browser = await openBrowser(inject('chromium'))
  stack = await embedded({ KODO_FLOWS: PAGE_FLOWS, KODO_WEBHOOK_PRIVATE: 'on' })
})
afterAll(async () => {
  await browser.close()
  await stack.close()
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
})

function signature({ 'webhook-id': id, 'webhook-timestamp': at }: IncomingHttpHeaders, body: string): string {
  const key = Buffer.from(receiver.secret.replace('whsec_', ''), 'base64')
  return `v1,${createHmac('sha256', key)
    .update(`${String(id)}.${String(at)}.${body}`)
    .digest('base64')}`
}

async function act(page: Page, url: string, item: string): Promise<void> {
  await page.getByRole('button', { name: `Actions on ${url}` }).click()
  await page.getByRole('menuitem', { name: item, exact: true }).click()
}

test('add, send a test, see it arrive, see a failure and why, send it again; pause, resume, and what was missed arrives', async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  const client = await stack.client()
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/webhooks`)

  await page.getByRole('button', { name: 'Add a webhook' }).click()
  const adding = page.getByRole('dialog', { name: 'Add a webhook' })
  await adding.getByLabel('Address').fill(url)
  await adding.getByLabel('Told of').first().click()
  await page.getByRole('option', { name: 'Run finished' }).click()
  await page.keyboard.press('Escape')
  await adding.getByRole('button', { name: 'Add', exact: true }).click()
  receiver.secret = must(/whsec_\S+/.exec(await page.locator('code').filter({ hasText: 'whsec_' }).innerText())?.[0], 'the secret')

  await act(page, url, 'Send a test')
  const log = page.getByRole('dialog', { name: `Sent to ${url}` })
  const newest = log.getByRole('row').nth(1)
  await seen(newest.filter({ hasText: 'Test' }).filter({ hasText: 'delivered' }))
  expect(receiver.types).toEqual(['koco.test.v1'])
  await page.keyboard.press('Escape')
  await log.waitFor({ state: 'detached' })

  receiver.status = 500
  await act(page, url, 'Send a test')
  await seen(newest.filter({ hasText: 'failed' }).filter({ hasText: 'It answered 500.' }))
  receiver.status = 204
  await newest.getByRole('button', { name: /^Send msg_\w+ again$/ }).click()
  await seen(newest.filter({ hasText: 'delivered' }))
  expect(receiver.ids.at(-1)).toBe(receiver.ids.at(-2))
  await page.keyboard.press('Escape')
  await log.waitFor({ state: 'detached' })

  await client.startAndWait('stepping', { n: 1 })
  await expect.poll(() => receiver.types.at(-1), { timeout: 20_000 }).toBe('koco.run.finished.v1')
  await act(page, url, 'Pause')
  const row = page.getByRole('row').filter({ hasText: url })
  await seen(row.filter({ hasText: 'paused' }))
  const { fid } = await client.startAndWait('stepping', { n: 2 })
  await act(page, url, 'Resume')
  await page.getByRole('dialog', { name: 'Resume the webhook' }).getByRole('button', { name: 'Deliver what it missed' }).click()
  await seen(newest.filter({ hasText: 'Run finished' }).filter({ hasText: 'delivered' }))
  await seen(newest.locator(`a[href$="${fid}"]`))
  expect(receiver.types).toEqual(['koco.test.v1', 'koco.test.v1', 'koco.test.v1', 'koco.run.finished.v1', 'koco.run.finished.v1'])
  expect(errors).toEqual([])
})
