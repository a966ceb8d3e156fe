// Goal: who looks at a run on Temporal finds its workflow in Temporal's own page, and is told why a run waits while no worker serves its flow. Method: the real development server with its page, real processes, a real browser.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { ApiClient } from '../processes/api-client.ts'
import { PASSWORD } from '../processes/installation.ts'
import { temporalStack, type TemporalStack } from '../processes/temporal-stack.ts'
import { openBrowser, seen, signIn } from './browser.ts'

let browser: Browser
let stack: TemporalStack
let client: ApiClient
beforeAll(async () => {
  browser = await openBrowser(inject('chromium'))
  stack = await temporalStack({}, { page: true })
  client = await stack.client()
})
afterAll(async () => {
  await browser.close()
  await stack.close()
})

test('a run leads to its workflow in the page of Temporal, and of a cold flow it says what it waits for', async () => {
  const worker = await stack.startWorker(client)
  const { fid } = await client.startAndWait('three-steps', {})
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/runs/${fid}`)
  const [there] = await Promise.all([page.waitForEvent('popup'), page.getByRole('link', { name: 'workflow' }).click()])
  await seen(there.getByRole('heading', { name: `kodo-${fid}` }))
  await seen(there.getByText('AgentWorkflow'))
  await there.close()

  expect(await worker.kill('SIGTERM')).toBe(0)
  await page.goto(`${stack.address}/flows/three-steps`)
  await seen(page.getByText('No process serves it now'))
  await seen(page.getByText('cold', { exact: true }))
  await page.getByRole('button', { name: 'Start run' }).click()
  await seen(page.getByText('Waiting for a worker'))
  const waiting = new URL(page.url()).pathname.split('/').at(-1) ?? ''
  expect((await client.run(waiting)).status).toBe('starting')
  await stack.startWorker(client)
  await seen(page.getByText('Finished', { exact: true }))
  await page.getByText('Waiting for a worker').waitFor({ state: 'detached' })
  expect(errors).toEqual([])
  await page.context().close()
})
