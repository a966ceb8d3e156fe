// Goal: one form with every kind of field can be filled in by a person, says the server's words at its fields, and loses nothing by an error or a reload; the same for a question of a run.
// Method: a real browser; the form is sent empty and wrong, its words are compared with those that the API gives for the same inputs; then it is filled in, loaded anew, sent, and run again.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newFolder } from '@koco/testing'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import type { ApiClient } from '../processes/api-client.ts'
import { PASSWORD } from '../processes/installation.ts'
import { embedded, type Stack } from '../processes/stacks.ts'
import { openBrowser, seen, signIn } from './browser.ts'

type Fault = { readonly path: string; readonly message: string }

const FLOWS = fileURLToPath(new URL('../flows/form-flows.ts', import.meta.url))
const folder = newFolder('form-e2e')
let browser: Browser
let stack: Stack
let client: ApiClient
beforeAll(async () => {
  mkdirSync(join(folder, 'album', 'june'), { recursive: true })
  for (const name of ['paper.txt', 'one.png', 'two.png', 'album/a.txt', 'album/june/b.txt']) writeFileSync(join(folder, name), name)
  browser = await openBrowser(inject('chromium'))
  stack = await embedded({ KODO_FLOWS: FLOWS })
  client = await stack.client()
})
afterAll(async () => {
  await browser.close()
  await stack.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Enters something into every field but those for files. */
async function fillIn(page: Page, form: Locator): Promise<void> {
  await form.getByLabel('Title').fill('A letter')
  await form.getByRole('textbox', { name: 'Secret' }).fill('correct horse')
  await form.getByLabel('Copies').fill('4')
  await form.getByLabel('Letter').fill('Dear all,\nall is well.')
  await form.getByLabel('Day').fill('2026-12-31')
  await form.getByLabel('Hour').fill('09:30:00')
  await form.getByLabel('Moment').fill('2026-12-31T09:30:00')
  await form.getByLabel('I have read it').check()
  await form.getByRole('combobox', { name: 'Size' }).or(form.getByLabel('Size')).first().click()
  await page.getByRole('option', { name: 'large' }).click()
  await form.getByLabel('green').check()
  await form.getByLabel('tue').check()
  await form.getByLabel('Towns').first().click()
  for (const town of ['Braga', 'Porto']) await page.getByRole('option', { name: town }).click()
  await page.keyboard.press('Escape')
  await form.getByLabel('Mail').fill('ann@example.com')
  await form.getByLabel('Page').fill('https://example.com/a')
  await form.getByLabel('Phone').first().fill('+49301234')
  await form.getByLabel('Paint').fill('#ff0000')
  await form.getByRole('slider', { name: 'Volume' }).focus()
  await page.keyboard.press('ArrowRight')
  await form.getByLabel('Street').fill('Rua 1')
  await form.getByLabel('City').fill('Porto')
  await form.getByLabel('Delivery').first().click()
  await page.getByRole('option', { name: 'By courier' }).click()
  await form.getByLabel('Doorbell').fill('Ada')
}

const FILLED = {
  title: 'A letter',
  secret: 'correct horse'.length,
  copies: 4,
  letter: 'Dear all,\nall is well.',
  day: '2026-12-31',
  hour: '09:30:00',
  agreed: true,
  size: 'large',
  colour: 'green',
  days: ['tue'],
  towns: ['Braga', 'Porto'],
  mail: 'ann@example.com',
  page: 'https://example.com/a',
  phone: '+49301234',
  paint: '#ff0000',
  volume: 6,
  campaign: 'spring',
  address: { street: 'Rua 1', city: 'Porto' },
  delivery: { by: 'courier', doorbell: 'Ada' },
}

async function chooseFiles(page: Page, button: string, paths: string | string[]): Promise<void> {
  const chooser = page.waitForEvent('filechooser')
  await page.getByText(button, { exact: true }).click()
  await (await chooser).setFiles(paths)
}

async function resultOf(fid: string): Promise<Record<string, unknown>> {
  await vi.waitUntil(async () => (await client.run(fid)).status === 'finished', { timeout: 60_000, interval: 100 })
  return ((await client.run(fid)).final as { value: Record<string, unknown> }).value
}

/** What the server says of inputs, by the label of the field. */
async function serverWords(inputs: object): Promise<string[]> {
  const answer = await client.request('POST', '/api/runs', { flow: 'every-field', inputs })
  expect(answer.status).toBe(422)
  return ((await answer.json()) as { errors: Fault[] }).errors.map(({ message }) => message).toSorted()
}

/** What the page says at its fields. */
async function pageWords(page: Page): Promise<string[]> {
  const texts = await page.locator('form').locator('.mantine-InputWrapper-error, .mantine-Checkbox-error, .mantine-Radio-error').allInnerTexts()
  return texts.toSorted()
}

test('every kind of field: the words of the server at each, nothing lost by a reload, the run gets what was entered, and runs again', async () => {
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/flows/every-field`)
  const start = page.getByRole('button', { name: 'Start run' })
  await start.click()
  await seen(page.getByText(/fields need attention/))
  const said = await serverWords({ agreed: false, towns: [], days: [], address: {}, delivery: { by: 'post' } })
  await expect.poll(() => pageWords(page)).toEqual(said)
  await page.getByLabel('Title').fill('ab')
  await page.getByLabel('Phone').fill('030')
  await page.getByLabel('Mail').fill('ann')
  await page.getByLabel('Copies').fill('3')
  await start.click()
  for (const words of ['At least 3 characters', 'Begin with + and give 6 to 15 digits', 'Not an email address', 'Must be a multiple of 2'])
    await seen(page.locator('form').getByText(words))

  await fillIn(page, page.locator('form'))
  await chooseFiles(page, 'Choose a file', join(folder, 'paper.txt'))
  await chooseFiles(page, 'Choose files', [join(folder, 'one.png'), join(folder, 'two.png')])
  await chooseFiles(page, 'Choose a folder', join(folder, 'album'))
  // A file that is not wholly there yet would have to be chosen again after the reload, as `files.e2e.test.ts` does.
  await seen(page.getByText('b.txt'))
  await expect.poll(() => page.locator('form').getByRole('progressbar').count()).toBe(0)
  await page.reload()
  await seen(page.getByText('two.png'))
  expect(await page.getByLabel('Letter').inputValue()).toBe(FILLED.letter)
  const secret = page.getByRole('textbox', { name: 'Secret' })
  expect(await secret.inputValue()).toBe('')
  await secret.fill('correct horse')
  await start.click()
  await page.waitForURL(/\/runs\/[0-9a-f]{24}/)
  const fid = /[0-9a-f]{24}/.exec(page.url())?.[0] ?? ''
  const { moment, paper, pictures, folder: album, ...rest } = await resultOf(fid)
  expect(rest).toEqual(FILLED)
  expect(new Date(String(moment)).getTime()).toBe(await page.evaluate('new Date("2026-12-31T09:30:00").getTime()'))
  // In which order a browser lists a folder, and files come in, is not ours to say.
  const inOrder = (paths: unknown) => (paths as string[]).toSorted()
  expect([paper, inOrder(pictures), inOrder(album)]).toEqual(['in/paper.txt', ['in/one.png', 'in/two.png'], ['in/album/a.txt', 'in/album/june/b.txt']])

  await seen(page.getByRole('tab', { name: 'About' }))
  await page.keyboard.press('r')
  await seen(page.getByRole('heading', { name: 'Run again with these inputs' }))
  expect(await page.getByLabel('Title').inputValue()).toBe('A letter')
  await page.getByLabel('Title').fill('Another letter')
  await page.getByRole('textbox', { name: 'Secret' }).fill('correct horse')
  await page.getByRole('button', { name: 'Start run' }).click()
  await page.waitForURL((url) => /\/runs\/[0-9a-f]{24}/.test(url.pathname) && !url.pathname.includes(fid))
  const again = await resultOf(/[0-9a-f]{24}/.exec(page.url())?.[0] ?? '')
  expect(again).toMatchObject({ ...FILLED, title: 'Another letter', paper: 'in/paper.txt' })
  expect(errors).toEqual([])
  await page.context().close()
})

test('the same form as a question of a run', async () => {
  const fid = await client.start('asks-every-field', {})
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/runs/${fid}`)
  const answer = page.getByRole('button', { name: 'Answer', exact: true })
  await answer.click()
  await seen(page.getByText(/fields need attention/))
  await fillIn(page, page.locator('form'))
  await answer.click()
  await seen(page.getByText('Finished'))
  expect(await resultOf(fid)).toMatchObject(FILLED)
  expect(errors).toEqual([])
  await page.context().close()
})
