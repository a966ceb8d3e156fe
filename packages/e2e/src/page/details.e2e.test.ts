// Goal: what a person finds out after a week holds as well: views of their own, all that match, times and links into a run, colours of logs, prints, notices, keys, the palette, sessions, a client in the browser. Method: real
// processes, a real browser with its clipboard and clock, the outcome read from the API.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import { freePort } from '@koco/testing'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { ApiClient } from '../processes/api-client.ts'
import { PASSWORD } from '../processes/installation.ts'
import { embedded, type Stack } from '../processes/stacks.ts'
import { openBrowser, seen, signIn } from './browser.ts'
import { ANN, comesTo } from './lived-in.ts'

const FLOWS = fileURLToPath(new URL('../flows/lived-in-flows.ts', import.meta.url))

let browser: Browser
let stack: Stack
let client: ApiClient
let everything: string
let toolsPort: number
beforeAll(async () => {
  browser = await openBrowser(inject('chromium'))
  toolsPort = await freePort()
  stack = await embedded({ KODO_FLOWS: FLOWS, KODO_CORS_ORIGINS: `http://127.0.0.1:${toolsPort}` })
  client = await stack.client()
  await client.json('POST', '/api/users', { name: 'ann', email: 'ann@example.com', role: 'user', password: ANN })
  everything = (await client.startAndWait('everything', { city: 'Lisbon', ask: false })).fid
})
afterAll(async () => {
  await browser.close()
  await stack.close()
})

/** As the flow with the long name prints it. */
const SECRET = 'sk-proj-4aQ9xV2mT7pL0wR8sB1nC6dE3fG5hJ'

const copied = (page: Page): Promise<string> => page.evaluate<string>('navigator.clipboard.readText()')

test('filters are kept under a name, in every browser of a person and for all if they share it; columns outlive a reload', async () => {
  const failed = { name: 'What failed', search: { status: 'error', flow: 'failing' } }
  const views = async () =>
    (await client.json<{ items: { name: string; search: object }[] }>('GET', '/api/views')).items.map(({ name, search }) => ({ name, search }))
  await client.startAndWait('failing', { n: 1 })
  const { page, errors } = await signIn(browser, stack.address, PASSWORD, { viewport: { width: 1600, height: 900 } })
  await page.goto(`${stack.address}/runs?status=error&flow=failing`)
  await seen(page.getByText('n=1'))
  await page.getByRole('button', { name: 'View' }).click()
  await page.getByLabel('Name of the view').fill('What failed')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByLabel('Tries').check()
  await page.getByLabel('Events').uncheck()
  await page.goto(`${stack.address}/runs`)
  await seen(page.getByText('Lisbon'))
  for (const [name, there] of Object.entries({ Tries: 1, Events: 0 })) expect(await page.locator('main').getByText(name, { exact: true }).count()).toBe(there)
  await page.getByRole('button', { name: 'View' }).click()
  await page.getByRole('menuitem', { name: 'What failed' }).click()
  await page.waitForURL(/status=error/)
  await page.getByText('Lisbon').first().waitFor({ state: 'detached' })
  // Kept in the browser by an older page: taken over, and then no more here than anywhere else.
  await page.evaluate(`localStorage.setItem('koco-views:admin', '[{"name":"Older","search":{"flow":"asked"}},{"name":"What failed","search":{}}]')`)
  await page.goto(`${stack.address}/runs`)
  await expect.poll(() => views()).toEqual([{ name: 'Older', search: { flow: 'asked' } }, failed])
  expect(await page.evaluate("localStorage.getItem('koco-views:admin')")).toBeNull()
  await page.getByRole('button', { name: 'View' }).click()
  await page.getByLabel('Share the view What failed with everybody').click()
  await seen(page.getByLabel('Stop sharing the view What failed'))
  await page.getByLabel('Delete the view Older').click()
  await page.getByRole('menuitem', { name: 'Older' }).waitFor({ state: 'detached' })
  expect(errors).toEqual([])
  const other = await signIn(browser, stack.address, ANN, { login: 'ann' })
  await other.page.goto(`${stack.address}/runs`)
  await other.page.getByRole('button', { name: 'View' }).click()
  await seen(other.page.getByText('Shared by others'))
  await other.page.getByRole('menuitem', { name: 'What failed' }).click()
  await other.page.waitForURL(/status=error/)
  expect(other.errors).toEqual([])
  await other.page.context().close()
  await page.context().close()
})

test('all that match are chosen, also those that the list has not read, and none besides', async () => {
  const others = await client.startAndWait('asked', { name: 'Not among them' })
  const keys = Array.from({ length: 130 }, (_, n) => n)
  await Promise.all(keys.map((n) => client.startAndWait('stepping', { n })))
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/runs?flow=stepping`)
  await page.getByRole('button', { name: 'Choose', exact: true }).click()
  await page.getByRole('button', { name: 'All that match' }).click()
  await page.getByRole('toolbar').getByRole('button', { name: 'Archive' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Archive' }).click()
  await seen(page.getByText('Archive: 130 accepted'))
  const left = await client.json<{ items: unknown[] }>('GET', '/api/runs?flow=stepping')
  expect(left.items).toEqual([])
  expect(await client.run(others.fid)).toMatchObject({ archived: false })
  expect(errors).toEqual([])
  await page.context().close()
})

test('a time leads to its event, and the link of an event leads whoever has it to that event', async () => {
  const { page, errors } = await signIn(browser, stack.address, PASSWORD, { permissions: ['clipboard-read', 'clipboard-write'] })
  await page.goto(`${stack.address}/runs/${everything}?tab=timeline`)
  await page.getByRole('button', { name: 'Jump to a time' }).click()
  await page.getByRole('textbox', { name: 'Time' }).fill('whenever')
  await page.keyboard.press('Enter')
  await seen(page.getByText('Write 14:03:21'))
  await page.getByRole('textbox', { name: 'Time' }).fill('-0s')
  await page.keyboard.press('Enter')
  await page.waitForURL(/at=/)
  const events = await client.events(everything)
  expect(new URL(page.url()).searchParams.get('at')).toBe(events.find(({ ts }) => ts >= (events.at(-1)?.ts ?? 0))?.position)
  await page.locator('[data-marked] [data-row]').click()
  await page.getByLabel('Copy link to this event').click()
  const link = `${stack.address}/runs/${everything}?tab=timeline&at=${new URL(page.url()).searchParams.get('at') ?? ''}`
  await expect.poll(() => copied(page)).toBe(link)
  await page.goto(link)
  await seen(page.getByText(/after the first event/))
  expect(errors).toEqual([])
  await page.context().close()
})

test('a run is looked at as it stood at any of its events, by keys alone, and the link of such a look leads there', async () => {
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  const events = await client.events(everything)
  const stood = page.getByRole('region', { name: 'How the run stood' })
  const figure = (name: string) =>
    stood
      .locator('div', { has: page.getByText(name, { exact: true }) })
      .last()
      .locator('dd')
  await page.goto(`${stack.address}/runs/${everything}?tab=replay`)
  const slider = page.getByRole('slider', { name: 'Event that is looked at' })
  await seen(page.getByText(`Event ${events.length} of ${events.length}`))
  const done = events.filter(({ kind, data }) => kind === 'step' && (data as { phase: string }).phase === 'finished').length
  expect(await figure('Steps done').innerText()).toBe(String(done))
  expect(await figure('Model calls').innerText()).toBe('1 · 5.1k tokens · $0.0042')
  await seen(page.getByRole('region', { name: 'Output so far' }).getByRole('heading', { name: 'Four quarters of Lisbon' }))
  await slider.focus()
  await page.keyboard.press('Home')
  expect(await figure('Steps done').innerText()).toBe('0')
  await seen(page.getByText('None up to here.'))
  // The first moment that matters is the end of the first step; one event before, it was at work.
  await page.keyboard.press('Shift+ArrowRight')
  expect(await figure('Steps done').innerText()).toBe('1')
  await page.keyboard.press('ArrowLeft')
  expect(await figure('At work on').innerText()).toBe('outline')
  // The URL follows a moment later: until then it names where one stood before.
  const words = (await slider.getAttribute('aria-valuetext')) ?? ''
  const here = events[Number(/^event (\d+) /.exec(words)?.[1]) - 1]?.position
  await page.waitForURL(({ searchParams }) => searchParams.get('tab') === 'replay' && searchParams.get('at') === here)
  await page.reload()
  await expect.poll(() => slider.getAttribute('aria-valuetext')).toBe(words)
  await page.keyboard.press('1')
  await page.waitForURL(/tab=timeline/)
  await seen(page.locator('[data-marked]'))
  await page.keyboard.press('3')
  await page.keyboard.press('p')
  await seen(page.getByText(`Event ${events.length} of ${events.length}`))
  expect(errors).toEqual([])
  await page.context().close()
})

test('logs have the colours of a terminal; a run prints without script; a redacted export keeps secrets to itself', async () => {
  const { fid } = await client.startAndWait('reconcile-quarterly-invoices-of-all-subsidiaries-with-bank-file', {})
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/runs/${fid}?tab=logs`)
  const styles = (text: string) =>
    page.evaluate<{ color: string; ground: string }>(`(() => {
      const { color, backgroundColor: ground } = getComputedStyle([...document.querySelectorAll('main span')].find((one) => one.textContent.trim() === '${text}'))
      return { color, ground }
    })()`)
  for (const text of ['colour 1', 'colour 2', 'behind']) await seen(page.getByText(text))
  expect((await styles('colour 1')).color).toBe('rgb(201, 42, 42)')
  expect((await styles('colour 2')).color).toBe('rgb(31, 122, 51)')
  expect((await styles('behind')).ground).not.toBe('rgba(0, 0, 0, 0)')
  const exported = async (query: string) => (await client.request('GET', `/api/runs/${fid}/export${query}`)).text()
  expect([await exported(''), await exported('?redact=1')].map((text) => text.includes(SECRET))).toEqual([true, false])
  await page.goto(`${stack.address}/api/runs/${fid}/report`)
  await seen(page.getByRole('heading', { name: 'Timeline' }))
  expect(await page.locator('script').count()).toBe(0)
  await page.emulateMedia({ media: 'print' })
  expect((await page.pdf()).subarray(0, 5).toString()).toBe('%PDF-')
  expect(errors).toEqual([])
  await page.context().close()
})

test('a question is told of by a notice and in the title while nobody looks at the page', async () => {
  const { page } = await signIn(browser, stack.address, ANN, { login: 'ann', permissions: ['notifications'] })
  await page.addInitScript(`
    window.told = []
    window.Notification = class extends EventTarget {
      static permission = 'granted'
      constructor(title, { body }) { super(); window.told.push(title + ': ' + body) }
    }
    Object.defineProperty(document, 'hidden', { get: () => window.away === true })
    Object.defineProperty(document, 'visibilityState', { get: () => (window.away === true ? 'hidden' : 'visible') })`)
  await page.clock.install()
  const looked = page.waitForResponse(/\/api\/locks\?status=open/)
  await page.goto(`${stack.address}/settings`)
  await seen(page.getByRole('heading', { level: 1, name: 'Settings' }))
  await looked
  await page.evaluate('window.away = true; document.dispatchEvent(new Event("visibilitychange"))')
  await comesTo(client, await client.start('signed', {}), 'awaiting')
  await page.clock.runFor(20_000)
  await expect.poll(() => page.evaluate('window.told')).toEqual(['Sign it?: signed waits for your answer.'])
  expect(await page.title()).toMatch(/^\(1\) /)
  await page.context().close()
})

test('the second to answer is told by whom it was answered', async () => {
  const fid = await comesTo(client, await client.start('signed', {}), 'awaiting')
  const { page } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/approvals?tab=to-answer`)
  const card = page.getByRole('region', { name: 'Question: Sign it?' }).filter({ has: page.locator(`a[href="/runs/${fid}"]`) })
  await card.getByRole('checkbox', { name: 'Sign' }).check()
  // What would tell the page in time is held back, as by a slow line.
  await page.route('**/api/**', (route) => (route.request().method() === 'POST' ? route.continue() : route.abort()))
  const ann = await ApiClient.signIn(stack.address, 'ann', ANN)
  await ann.json('POST', `/api/runs/${fid}/locks/${(await client.run(fid)).locks[0]?.lid ?? ''}`, { answer: { sign: true } })
  await card.getByRole('button', { name: 'Answer', exact: true }).click()
  await seen(page.getByText(/\bann\b/))
  expect((await client.events(fid)).find(({ kind }) => kind === 'lease')?.data).toMatchObject({ by: 'ann' })
  await page.context().close()
})

test('keys fold rows, pick filters, confirm, and lead up to the run that started one', async () => {
  const { fid } = await client.startAndWait('family', { n: 1 })
  const child = (await client.json<{ items: { fid: string }[] }>('GET', `/api/runs?parent=${fid}`)).items[0]?.fid ?? ''
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/runs/${child}?tab=timeline`)
  await seen(page.getByText('Complete'))
  await page.keyboard.press('j')
  await page.keyboard.press('l')
  await seen(page.getByText(/after the first event/))
  await page.keyboard.press('h')
  await page.getByText(/after the first event/).waitFor({ state: 'detached' })
  await page.keyboard.press('u')
  await page.waitForURL(new RegExp(fid))
  await page.goto(`${stack.address}/runs`)
  await seen(page.getByRole('heading', { level: 1, name: 'Runs' }))
  await page.keyboard.press('6')
  await page.waitForURL(/status=error/)
  await page.keyboard.press('0')
  await page.waitForURL(/\/runs$/)
  const waits = await comesTo(client, await client.start('waiting', { n: 3 }), 'awaiting')
  await page.goto(`${stack.address}/runs/${waits}`)
  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
  await seen(page.getByRole('dialog').getByText('Cancel this run?'))
  await page.keyboard.press('Control+Enter')
  await seen(page.getByText('Cancelled', { exact: true }))
  expect(errors).toEqual([])
  await page.context().close()
})

test('keys and the palette do what they say', async () => {
  const { page, errors } = await signIn(browser, stack.address, PASSWORD, { permissions: ['clipboard-read', 'clipboard-write'] })
  await page.goto(`${stack.address}/runs/${everything}?tab=timeline`)
  await seen(page.getByText('Complete'))
  await page.keyboard.press('?')
  await seen(page.getByRole('dialog').getByText('Show these keys'))
  await page.keyboard.press('Escape')
  const run = async (words: string) => {
    await page.keyboard.press('Control+k')
    await page.getByPlaceholder(/^Search pages/).fill(words)
    await seen(page.getByRole('dialog').getByText(words, { exact: true }))
    await page.keyboard.press('Enter')
    await page.getByPlaceholder(/^Search pages/).waitFor({ state: 'detached' })
  }
  await run('Dark colours')
  await expect.poll(() => page.evaluate('document.documentElement.dataset.mantineColorScheme')).toBe('dark')
  await run('Copy the link to this page')
  await expect.poll(() => copied(page)).toBe(page.url())
  await run('Archive this run')
  await seen(page.getByText('Archived: lists do not show it'))
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect.poll(async () => (await client.json<{ archived: boolean }>('GET', `/api/runs/${everything}`)).archived).toBe(false)
  await run('Insights')
  await seen(page.getByRole('heading', { level: 1, name: 'Insights' }))
  for (const [key, title] of Object.entries({ h: 'Chat', c: 'Schedules', k: 'Checkpoints', s: 'Settings', u: 'Users', o: 'Operations' })) {
    await page.keyboard.press('g')
    await page.keyboard.press(key)
    await seen(page.getByRole('heading', { level: 1, name: title }))
  }
  expect(errors).toEqual([])
  await page.context().close()
})

test('a session that is ended from another one is out at once', async () => {
  const [one, two] = [await signIn(browser, stack.address, PASSWORD), await signIn(browser, stack.address, PASSWORD)]
  await one.page.goto(`${stack.address}/runs`)
  await seen(one.page.getByText('Live', { exact: true }))
  await two.page.goto(`${stack.address}/settings`)
  await seen(two.page.getByText('this one'))
  const ends = two.page.getByRole('button', { name: 'Sign out', exact: true })
  for (let left = await ends.count(); left > 0; left -= 1) {
    await ends.first().click()
    await expect.poll(() => ends.count()).toBe(left - 1)
  }
  await one.page.getByRole('heading', { name: 'Sign in to koco' }).waitFor({ timeout: 60_000 })
  await Promise.all([one.page.context().close(), two.page.context().close()])
})

/** A site of its own, which has the sources of `koco/client`, without their types. */
async function startTools(): Promise<Server> {
  const sources = new URL('../../../cli/src/', import.meta.url)
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    if (!path.endsWith('.ts')) return response.writeHead(200, { 'content-type': 'text/html' }).end('<title>tools</title>')
    const source = readFileSync(new URL(`.${path}`, sources), 'utf8')
    return response.writeHead(200, { 'content-type': 'text/javascript' }).end(stripTypeScriptTypes(source))
  })
  server.listen(toolsPort, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** In a page: starts a run, watches it, answers its question, gives its end. */
const startWatchAnswer = (address: string, apiKey: string): string => `(async () => {
  const { KocoClient } = await import('/client.ts')
  const koco = new KocoClient({ address: '${address}', apiKey: '${apiKey}' })
  const { fid } = await koco.start('everything', { city: 'Faro' })
  const kinds = []
  for await (const event of koco.watch(fid)) {
    kinds.push(event.kind)
    if (event.kind === 'lock') await koco.answer(fid, event.data.lid, { go: true }, 'from a page')
  }
  const run = await koco.get(fid)
  return { fid, kinds, status: run.status }
})()`

test('koco/client starts, watches and answers from a page of another origin that is on the list, and from no other', async () => {
  const { key } = await client.json<{ key: string }>('POST', '/api/keys', { name: 'tools' })
  const tools = await startTools()
  const page = await (await browser.newContext()).newPage()
  await page.goto(`http://127.0.0.1:${toolsPort}/`)
  const { fid, kinds, status } = await page.evaluate<{ fid: string; kinds: string[]; status: string }>(startWatchAnswer(stack.address, key))
  expect(status).toBe('finished')
  expect(kinds).toEqual((await client.events(fid)).map(({ kind }) => kind))
  // The same site by another name is another origin.
  await page.goto(`http://localhost:${toolsPort}/`)
  await expect(page.evaluate(startWatchAnswer(stack.address, key))).rejects.toThrow(/No koco answers/)
  await page.context().close()
  tools.closeAllConnections()
  tools.close()
})
