// Goal: what an agent and a person work on lies beside their talk: it appears when a turn has written it, is looked at, added to by drop and by keyboard within its limits, downloaded and deleted, on a phone too.
// Method: a real process with a program as the agent, headless Chromium; the files are also read over the API.
import type { Browser, Locator, Page } from 'playwright-core'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { ApiClient } from '../processes/api-client.ts'
import { PASSWORD } from '../processes/installation.ts'
import { embedded, type Stack } from '../processes/stacks.ts'
import { findings } from './axe.ts'
import { openBrowser, seen, signIn } from './browser.ts'

const FLOWS = fileURLToPath(new URL('../flows/chat-flows.ts', import.meta.url))

let browser: Browser
let stack: Stack
let client: ApiClient
beforeAll(async () => {
  browser = await openBrowser(inject('chromium'))
  stack = await embedded({ KODO_FLOWS: FLOWS })
  client = await stack.client()
})
afterAll(async () => {
  await browser.close()
  await stack.close()
})

type Look = Parameters<typeof signIn>[3]

/** A new talk with the program, its workspace open. */
async function openWorkspace(look: Look = {}): Promise<{ id: string; page: Page; panel: Locator; errors: readonly string[] }> {
  const { session } = await client.json<{ session: { session_id: string } }>('POST', '/api/session/new', { flow: 'scribe', title: 'Cities' })
  const { page, errors } = await signIn(browser, stack.address, PASSWORD, look)
  await page.goto(`${stack.address}/chat/${session.session_id}`)
  await page.getByRole('button', { name: 'Workspace files' }).click()
  await seen(page.getByRole('heading', { name: 'Workspace' }))
  const wide = (look.viewport?.width ?? 1280) >= 1400
  return {
    id: session.session_id,
    page,
    panel: wide ? page.getByRole('complementary', { name: 'Workspace' }) : page.getByRole('dialog', { name: 'Workspace' }),
    errors,
  }
}

/** Drops files on the panel as a person does. */
async function drop(page: Page, panel: Locator, files: readonly { readonly name: string; readonly text: string }[]): Promise<void> {
  const script = `((given) => {
    const transfer = new DataTransfer()
    for (const { name, text } of given) transfer.items.add(new File([text], name))
    return transfer
  })(${JSON.stringify(files)})`
  const data = await page.evaluateHandle(script)
  await panel.getByRole('button', { name: 'Add files' }).dispatchEvent('drop', { dataTransfer: data })
}
const held = async (id: string) =>
  (await client.json<{ files: { path: string }[] }>('GET', `/api/session/files?session_id=${id}`)).files.map(({ path }) => path)

test('what a turn writes appears, and is looked at as what it is; what is dropped is there, and what is too much is told', async () => {
  const { id, page, panel, errors } = await openWorkspace({ viewport: { width: 1440, height: 900 } })
  await seen(panel.getByText('Nothing is here yet.'))
  await page.getByLabel('Message').fill('Write it down')
  await page.keyboard.press('Enter')
  await panel.getByRole('button', { name: 'report.md', exact: true }).click()
  await seen(panel.getByRole('heading', { name: 'Cities' }))
  await panel.getByRole('button', { name: 'All files' }).click()
  await panel.getByRole('button', { name: 'cities.csv', exact: true }).click()
  await seen(panel.getByRole('cell', { name: 'Lisbon, old town' }))
  expect(await findings(page)).toEqual([])
  await panel.getByRole('button', { name: 'All files' }).click()

  await drop(page, panel, [
    { name: 'notes.txt', text: 'remember the milk' },
    { name: 'report.md', text: '# Mine' },
    { name: '.env', text: 'secret' },
    { name: 'big.bin', text: 'x'.repeat(10 * 2 ** 20 + 1) },
  ])
  await seen(panel.getByText('2 files are there, 1 of them in the place of an older one.'))
  const refused = panel.getByRole('alert')
  await seen(refused.getByText('“big.bin” has 10.5 MB. A file may have 10 MiB, all together 100 MiB.'))
  await seen(refused.getByText('.env'))
  expect(await held(id)).toEqual(['data/cities.csv', 'notes.txt', 'report.md'])
  await panel.getByRole('button', { name: 'notes.txt', exact: true }).click()
  await seen(panel.getByText('remember the milk'))
  expect(errors).toEqual([])
  await page.context().close()
})

test('on a phone, by keyboard alone: opened, looked at, downloaded, deleted, closed', async () => {
  const { id, page, panel, errors } = await openWorkspace({ viewport: { width: 390, height: 844 } })
  await client.request('PUT', `/api/session/file?session_id=${id}&path=docs/a%20long%20name%20of%20a%20file%20that%20has%20no%20end.txt`, 'deep', {
    'content-type': 'application/octet-stream',
  })
  await drop(page, panel, [{ name: 'b.txt', text: 'bee' }])
  await seen(panel.getByText('1 file is there.'))
  const focused = panel.getByRole('button', { name: 'b.txt', exact: true }).and(page.locator(':focus'))
  const folder = panel.getByRole('button', { name: 'docs', exact: true })
  await folder.focus()
  await page.keyboard.press('Enter')
  expect(await folder.getAttribute('aria-expanded')).toBe('false')
  await page.keyboard.press('Tab')
  await seen(focused)
  await page.keyboard.press('Enter')
  await seen(panel.getByText('bee'))
  await page.keyboard.press('Enter')
  await seen(focused)
  const download = page.waitForEvent('download')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  expect((await download).suggestedFilename()).toBe('b.txt')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Enter')
  await panel.getByRole('button', { name: 'b.txt', exact: true }).waitFor({ state: 'detached' })
  expect(await held(id)).toEqual(['docs/a long name of a file that has no end.txt'])
  expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')).toBe(true)
  expect(await findings(page)).toEqual([])
  await page.keyboard.press('Escape')
  await panel.waitFor({ state: 'detached' })
  expect(errors).toEqual([])
  await page.context().close()
})
