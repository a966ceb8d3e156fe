// Goal: a person talks with an agent in the page: live answers, tools, approvals in place, stop, steer, queue, undo, fork, reload. Method: real processes and a browser over a scripted model server that speaks OpenAI's protocol.
import type { Browser, Page } from 'playwright-core'
import { fileURLToPath } from 'node:url'
import { OpenAiServer } from 'koco/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { PASSWORD } from '../processes/installation.ts'
import { embedded, type Stack } from '../processes/stacks.ts'
import { findings } from './axe.ts'
import { openBrowser, seen, signIn } from './browser.ts'

const FLOWS = fileURLToPath(new URL('../flows/chat-flows.ts', import.meta.url))

let browser: Browser
let stack: Stack
let model: OpenAiServer
beforeAll(async () => {
  browser = await openBrowser(inject('chromium'))
  model = new OpenAiServer(() => [])
  const address = await model.listen()
  stack = await embedded({ KODO_FLOWS: FLOWS, KODO_LLM_URL: `http://${address}/v1`, KODO_LLM_MODEL: 'scripted', KODO_LLM_KEY: 'k' })
})
afterAll(async () => {
  await browser.close()
  await stack.close()
  await model.close()
})

async function openTalk(): Promise<{ page: Page; errors: readonly string[] }> {
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Chat' }).click()
  await seen(page.getByRole('heading', { level: 1, name: 'Chat' }))
  await page.getByRole('navigation', { name: 'Sessions' }).getByRole('button', { name: 'New talk' }).click()
  await page.waitForURL(/\/chat\/[0-9a-f]{12}/)
  return { page, errors }
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message').fill(text)
  await page.keyboard.press('Enter')
}
const log = (page: Page) => page.getByRole('log', { name: 'What was said' })

test('a talk: a live answer, a reload in the middle of it, a tool, an approval in place, undo and redo', async () => {
  const { page, errors } = await openTalk()
  model.script({ reasoning: ['The person greets.'], say: ['Hello **Ada**, ', 'how are you?'], hold: true })
  await say(page, 'Good morning, I am Ada')
  await seen(log(page).getByText('Hello Ada'))
  await page.reload()
  await seen(log(page).getByText('Hello Ada'))
  await seen(page.getByRole('button', { name: 'Stop' }))
  model.release()
  await seen(page.getByRole('button', { name: 'Send' }))
  expect(await log(page).getByText('how are you?').count()).toBe(1)
  await log(page).getByText('Reasoning').click()
  await seen(log(page).getByText('The person greets.'))
  await seen(page.getByRole('heading', { level: 1, name: 'Good morning, I am Ada' }))

  model.script({ call: [{ id: 'c1', name: 'book', input: { to: 'Lisbon' } }] }, { say: ['Booked, have a good trip.'] })
  await say(page, 'Book me a train to Lisbon')
  const question = page.getByRole('region', { name: /Question: approve book/ })
  await seen(question)
  await seen(question.getByText('"to": "Lisbon"'))
  await seen(page.getByRole('navigation', { name: 'Sessions' }).getByText('asks', { exact: true }))
  await question.getByRole('button', { name: 'Approve' }).click()
  await seen(log(page).getByText('Booked, have a good trip.'))
  await seen(page.getByRole('button', { name: 'Send' }))
  await log(page).getByText('book', { exact: true }).click()
  await seen(log(page).getByText('Booked to Lisbon'))

  await page.getByRole('button', { name: 'Take the last turn back' }).click()
  await log(page).getByText('Booked, have a good trip.').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Bring back what was taken back' }).click()
  await seen(log(page).getByText('Booked, have a good trip.'))
  expect(errors).toEqual([])
  await page.context().close()
})

test('a tool that a person refuses is not used, and the agent is told why; a turn that failed says why', async () => {
  const { page, errors } = await openTalk()
  model.script({ call: [{ id: 'c2', name: 'book', input: { to: 'Paris' } }] }, { say: ['Then I do not.'] })
  await say(page, 'Book me a train to Paris')
  const question = page.getByRole('region', { name: /Question: approve book/ })
  await question.getByRole('textbox').fill('by bus, please')
  expect(await findings(page)).toEqual([])
  await question.getByRole('button', { name: 'Refuse' }).click()
  await seen(log(page).getByText('Then I do not.'))
  expect(model.requests.at(-1)?.messages.at(-1)?.content).toBe('Error: A person refused this call: by bus, please')
  await seen(page.getByRole('button', { name: 'Send' }))
  model.script({ status: 401 })
  await say(page, 'And now?')
  await seen(
    log(page)
      .getByRole('alert')
      .getByText(/scripted 401/),
  )
  await page.reload()
  await seen(
    log(page)
      .getByRole('alert')
      .getByText(/scripted 401/),
  )
  expect(errors).toEqual([])
  await page.context().close()
})

test('a running turn hears what is said into it, keeps what waits for it, and what it said when it is stopped', async () => {
  const { page } = await openTalk()
  model.script({ say: ['One moment'], hold: true }, { say: ['Bom dia'], hold: true })
  await say(page, 'Plan my day')
  await seen(log(page).getByText('One moment'))
  await page.getByLabel('Message').fill('And tomorrow?')
  await page.getByRole('button', { name: 'Queue' }).click()
  await seen(page.getByText('next: And tomorrow?'))
  await page.getByRole('button', { name: 'Take it back' }).click()
  await page.getByText('next: And tomorrow?').waitFor({ state: 'detached' })
  await page.getByLabel('Message').fill('In Portuguese')
  await page.getByRole('button', { name: 'Steer' }).click()
  await seen(log(page).getByText('said, not heard yet'))
  const client = await stack.client()
  const { sessions } = await client.json<{ sessions: { active_stream_id: string | null }[] }>('GET', '/api/sessions')
  const run = await page.context().newPage()
  await run.goto(`${stack.address}/runs/${sessions.find(({ active_stream_id: fid }) => fid !== null)?.active_stream_id ?? ''}`)
  await seen(run.getByRole('status').filter({ hasText: 'Said into this turn, not heard yet' }).getByText('In Portuguese'))
  model.release()
  await seen(log(page).getByText('Bom dia'))
  await seen(log(page).getByText('said while it answered'))
  await log(page).getByText('said, not heard yet').waitFor({ state: 'detached' })
  await run.getByText('Said into this turn').waitFor({ state: 'detached' })
  await run.close()
  await page.getByRole('button', { name: 'Stop' }).click()
  await seen(log(page).getByText('interrupted'))
  expect(await log(page).getByText('One moment').count()).toBe(1)
  model.release()
  await page.context().close()
})

test('what was said can be said differently in a fork; both talks stand in the tree, and are found by their words', async () => {
  const { page } = await openTalk()
  model.script({ say: ['Tigers sleep a lot.'] })
  await say(page, 'Tell me of tigers')
  await seen(log(page).getByText('Tigers sleep a lot.'))
  await seen(page.getByRole('button', { name: 'Send' }))
  const first = page.url()
  model.script({ say: ['Lions roar.'] })
  await log(page).getByRole('article', { name: 'You' }).hover()
  await page.getByRole('button', { name: 'Edit and say it in a fork' }).click()
  await page.getByRole('dialog').getByRole('textbox', { name: 'Message' }).fill('Tell me of lions')
  await page.getByRole('button', { name: 'Send in a fork' }).click()
  await seen(log(page).getByText('Lions roar.'))
  expect(page.url()).not.toBe(first)
  expect(await log(page).getByText('Tigers sleep').count()).toBe(0)
  await page.getByRole('button', { name: /^Forks: 2/ }).click()
  await page
    .getByRole('menuitem', { name: /Tell me of tigers/ })
    .first()
    .click()
  await seen(log(page).getByText('Tigers sleep a lot.'))
  await page.getByLabel('Search in all talks').fill('roar')
  await seen(page.getByRole('navigation', { name: 'Sessions' }).getByText('Lions roar.'))
  expect(await findings(page)).toEqual([])
  await page.context().close()
})

test('a program that is signed in for a person is seen in the settings, and signed out there', async () => {
  const client = await stack.client()
  const signedIn = await client.request('POST', '/api/auth/token', { grant_type: 'session' }, { 'user-agent': 'nightly-report/2.1' })
  const { access_token: token } = (await signedIn.json()) as { access_token: string }
  const me = async () => (await fetch(`${stack.address}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } })).status
  expect(await me()).toBe(200)
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  await page.goto(`${stack.address}/settings`)
  const card = page.getByRole('region', { name: 'Programs' })
  await seen(card.getByText('nightly-report/2.1'))
  await seen(card.getByText(/^last used/))
  await card.getByRole('button', { name: 'Sign nightly-report/2.1 out' }).click()
  await seen(card.getByText('No program is signed in by tokens.'))
  expect(await me()).toBe(401)
  expect(errors).toEqual([])
  await page.context().close()
})
