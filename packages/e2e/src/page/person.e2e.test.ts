// Goal: a person's whole path through the page works in a real browser, embedded and over Redis and Postgres, and what the page shows is what the API holds.
// Method: real processes, headless Chromium; sign in, find a flow, fill its form in with a file, watch it live, answer its question, read the result, look closely at its steps, download a file,
// export the run and import it again by the page and by the command line; cut the connection; kill the server under an open page.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newFolder, startFaultProxy } from '@koco/testing'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Browser, Page } from 'playwright-core'
import { distributed, embedded, EXAMPLE_FLOWS, type Stack } from '../processes/stacks.ts'
import { PASSWORD } from '../processes/installation.ts'
import { openBrowser, seen, signIn } from './browser.ts'

const folder = newFolder('person-e2e')
const FLOWS = join(folder, 'flows.mjs')
mkdirSync(folder, { recursive: true })
// The examples, and a flow with something of everything.
writeFileSync(
  FLOWS,
  [EXAMPLE_FLOWS, fileURLToPath(new URL('../flows/rich-flows.ts', import.meta.url))].map((module) => `export * from ${JSON.stringify(module)}\n`).join(''),
)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SHAPES: Readonly<Record<string, () => Promise<Stack>>> = {
  embedded: () => embedded({ KODO_FLOWS: FLOWS }),
  'Redis and Postgres': () => distributed(1, { KODO_FLOWS: FLOWS }),
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
    await seen(page.getByText('write a sentence'))
    await seen(page.getByText('Awaiting'))
    await page.getByRole('button', { name: 'Answer' }).click()
    await seen(page.getByText('Finished'))
    await page.getByRole('tab', { name: 'Result' }).click()
    await seen(page.getByRole('heading', { name: 'Good day, Ada!' }))
    const fid = /[0-9a-f]{24}/.exec(page.url())?.[0] ?? ''
    const run = await (await stack.client()).run(fid)
    expect(run.status).toBe('finished')
    await page.getByRole('link', { name: 'Runs' }).first().click()
    await seen(page.getByText('Greets in three steps'))
    expect(errors).toEqual([])
    await page.close()
  })

  test('gives a run a file, looks closely at its steps, downloads what it made, exports it and imports it again', async () => {
    const { page, errors } = await signIn(browser, stack.address, PASSWORD)
    await page.goto(`${stack.address}/flows/everything`)
    const chooser = page.waitForEvent('filechooser')
    await page.getByText('Choose a file', { exact: true }).click()
    await (await chooser).setFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('bring shoes') })
    await seen(page.getByRole('listitem').filter({ hasText: 'notes.txt' }))
    await page.getByRole('button', { name: 'Start run' }).click()
    await page.waitForURL(/\/runs\/[0-9a-f]{24}/)
    const fid = /[0-9a-f]{24}/.exec(page.url())?.[0] ?? ''
    await page.getByRole('button', { name: 'Answer', exact: true }).click()
    await seen(page.getByText('Finished'))

    await page.getByRole('tab', { name: /Steps/ }).click()
    const steps = page.getByRole('list', { name: 'Steps' })
    for (const name of ['outline', 'writer-2', 'research', 'quarter[Belém]', 'http_get']) await seen(steps.getByRole('button', { name, exact: true }))
    await steps.getByRole('button', { name: '2 tries' }).click()
    await steps.getByRole('button', { name: 'try 1', exact: true }).click()
    await seen(steps.getByText('503: the guide is busy'))
    await page.getByRole('slider', { name: 'Stretch of time that is shown' }).focus()
    for (let presses = 0; presses < 5; presses += 1) await page.keyboard.press('+')
    await seen(page.getByText(/ of \d+ rows in this stretch/))
    await page.keyboard.press('0')
    await steps.getByRole('button', { name: 'outline', exact: true }).click()
    await steps.getByText('Show in the timeline').click()
    await seen(page.getByText('outline started'))
    expect(page.url()).toContain('at=')

    await page.getByRole('tab', { name: /Files/ }).click()
    const file = page.waitForEvent('download')
    await page.getByLabel('Download out/plan.md').click()
    expect(await readFile(await (await file).path(), 'utf8')).toContain('# Lisbon')
    await page.getByRole('button', { name: 'More actions' }).click()
    const exported = page.waitForEvent('download')
    await page.getByRole('menuitem', { name: 'Export as JSON lines' }).click()
    const path = await (await exported).path()
    await importAgain(page, stack, fid, path)
    expect(errors).toEqual([])
    await page.context().close()
  })

  test('sees each event once and none missing when the connection is cut and comes back', async () => {
    const client = await stack.client()
    const proxy = await startFaultProxy({ port: Number(new URL(stack.address).port) })
    const { page } = await signIn(browser, proxy.url(stack.address).replace(/\/$/, ''), PASSWORD)
    // Long enough that a page that opens slowly finds it at work; which tick it shows first is the follower's.
    const fid = await client.start('ticking', { seconds: 12 })
    await page.goto(proxy.url(`${stack.address}/runs/${fid}?tab=timeline&kinds=action`))
    await seen(page.getByText(/^tick: \d+$/))
    proxy.refuse()
    await seen(page.getByText('Reconnecting'))
    proxy.heal()
    await seen(page.getByText('Complete'), { timeout: 60_000 })
    const told = (await client.events(fid)).filter((event) => event.kind === 'action').length
    await seen(page.getByText(`action ${told}`, { exact: true }))
    const shown = await page.evaluate<string[]>(everyRow)
    expect(shown).toEqual(Array.from({ length: told }, (_none, index) => `tick: ${index + 1}`))
    await page.context().close()
    await proxy.close()
  })

  test('sees the run go on, each event once, when the server is killed and started again under the open page', async () => {
    const client = await stack.client()
    const { page } = await signIn(browser, stack.address, PASSWORD)
    const fid = await client.start('hello', { name: 'Bo', rest_seconds: 3 })
    await page.goto(`${stack.address}/runs/${fid}`)
    await seen(page.getByText('write a sentence'))
    await stack.crashPanel(() => seen(page.getByText('Reconnecting')))
    // It awaits while it rests as well; the question comes after.
    await seen(page.getByRole('button', { name: 'Answer', exact: true }))
    await seen(page.getByText('Awaiting'))
    await seen(page.getByText('Live'))
    const shown = async () => Number((await page.getByText('Events', { exact: true }).locator('..').innerText()).replaceAll(/\D/g, ''))
    await expect.poll(async () => (await shown()) - (await client.events(fid)).length).toBe(0)
    const events = await client.events(fid)
    expect(events.filter((event) => event.kind === 'step' && event.data['phase'] === 'finished')).toHaveLength(2)
    await page.close()
  })
})

/** Reads an exported file back in on the page, then by the command: the same run both times, with the same events as the one that was exported. */
async function importAgain(page: Page, stack: Stack, fid: string, path: string): Promise<void> {
  const client = await stack.client()
  await page.goto(`${stack.address}/runs`)
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Import' }).click()
  await (await chooser).setFiles(path)
  await seen(page.getByText('This run was read from a file'))
  const copy = /[0-9a-f]{24}/.exec(page.url())?.[0] ?? ''
  expect(copy).not.toBe(fid)
  const plain = async (id: string) =>
    (await client.events(id)).filter(({ kind }) => kind !== 'meta').map(({ position, kind, data }) => ({ position, kind, data }))
  expect(await plain(copy)).toEqual(await plain(fid))
  const command = stack.spawn(['runs', 'import', path])
  await command.exited
  expect(command.output()).toContain(copy)
}

/** In the page: the texts of all rows of the timeline, by scrolling through it from its top to its end. */
const everyRow = `(async () => {
  const box = document.querySelector('[role=log]')
  const rows = new Map()
  box.dispatchEvent(new WheelEvent('wheel', { bubbles: true }))
  for (let top = 0; ; top += box.clientHeight / 2) {
    box.scrollTop = top
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
    for (const row of box.querySelectorAll('[data-index]')) rows.set(Number(row.dataset.index), row.innerText.split('\\n').at(-1))
    if (top >= box.scrollHeight) break
  }
  return [...rows].toSorted((a, b) => a[0] - b[0]).map(([, text]) => text)
})()`
