// Goal: a person whose run seems to stand still learns why: the page says since when events are delayed, and takes it back when they are stored again. Method: a real installation without a spooler, until one is started.
import { expect, inject, test } from 'vitest'
import { PASSWORD } from '../processes/installation.ts'
import { distributed } from '../processes/stacks.ts'
import { openBrowser, seen, signIn } from './browser.ts'

test('the page says since when events are delayed and why, as long as they are', async () => {
  await using stack = await distributed(0)
  await using browser = await openBrowser(inject('chromium'))
  const client = await stack.client()
  const fid = await client.start('three-steps', {})
  const { page, errors } = await signIn(browser, stack.address, PASSWORD)
  const banner = page.getByText(/Events delayed since .*: no spooler takes them/)
  await seen(banner)
  stack.spawn(['spool', '--block', '--spooler-name', 'spooler-1'])
  await banner.waitFor({ state: 'detached' })
  for await (const frame of client.tail(fid)) if (frame.event === 'end') break
  expect((await client.run(fid)).status).toBe('finished')
  expect(errors).toEqual([])
})
