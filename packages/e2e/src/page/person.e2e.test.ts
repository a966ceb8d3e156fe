// Goal: a person's whole path through the page works in a real browser, embedded and over Redis and Postgres, and what the page shows is what the API holds.
// Method: real processes, headless Chromium; sign in, find a flow, be refused by its form, start it, watch it live, answer its question, read the result, find the run in the list; then kill the server under an open page.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Browser } from 'playwright-core'
import { distributed, embedded, EXAMPLE_FLOWS, type Stack } from '../processes/stacks.ts'
import { PASSWORD } from '../processes/installation.ts'
import { openBrowser, signIn } from './browser.ts'

const SHAPES: Readonly<Record<string, () => Promise<Stack>>> = {
  embedded: () => embedded({ KODO_FLOWS: EXAMPLE_FLOWS }),
  'Redis and Postgres': () => distributed(1, { KODO_FLOWS: EXAMPLE_FLOWS }),
}

describe.each(Object.keys(SHAPES))('a person, %s', (shape) => {
  let browser: Browser
  let stack: Stack
  beforeAll(async () => {
    browser = await openBrowser(inject('chromium'))
    stack = await (SHAPES[shape] ?? embedded)()
  })
  afterAll(async () => {
    await browser.close()
    await stack.close()
  })

  test('signs in, starts a flow, watches it, answers its question and reads the result', async () => {
    const { page, errors } = await signIn(browser, stack.address, PASSWORD)
    await page.getByRole('link', { name: /hello/ }).first().click()
    const name = page.getByLabel('Name', { exact: false }).first()
    await name.fill('Ada')
    await page.getByRole('button', { name: 'Start run' }).click()
    await page.waitForURL(/\/runs\/[0-9a-f]{24}/)
    await page.getByText('write a sentence').first().waitFor()
    await page.getByText('Awaiting').first().waitFor()
    await page.getByRole('button', { name: 'Answer' }).click()
    await page.getByText('Finished').first().waitFor()
    await page.getByRole('tab', { name: 'Result' }).click()
    await page.getByRole('heading', { name: 'Good day, Ada!' }).waitFor()
    const fid = /[0-9a-f]{24}/.exec(page.url())?.[0] ?? ''
    const run = await (await stack.client()).run(fid)
    expect(run.status).toBe('finished')
    await page.getByRole('link', { name: 'Runs' }).first().click()
    await page.getByText('Greets in three steps').first().waitFor()
    expect(errors).toEqual([])
    await page.close()
  })

  test('sees the run go on, each event once, when the server is killed and started again under the open page', async () => {
    const client = await stack.client()
    const { page } = await signIn(browser, stack.address, PASSWORD)
    const fid = await client.start('hello', { name: 'Bo', rest_seconds: 3 })
    await page.goto(`${stack.address}/runs/${fid}`)
    await page.getByText('write a sentence').first().waitFor()
    await stack.crashPanel(() => page.getByText('Reconnecting').first().waitFor())
    await page.getByText('Awaiting').first().waitFor()
    await page.getByText('Live').first().waitFor()
    const events = await client.events(fid)
    await page.getByText('Events', { exact: true }).locator('..').getByText(String(events.length), { exact: true }).waitFor()
    expect(events.filter((event) => event.kind === 'step' && event.data['phase'] === 'finished')).toHaveLength(2)
    await page.close()
  })
})
