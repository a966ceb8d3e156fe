/*
 * Goal: a client that takes nothing costs a bounded piece of memory, is closed with a code, and has everything after it came again; other clients do not notice.
 * Method: a real socket that is paused while a turn says a megabyte and more, against a panel with a short patience.
 */
import { OpenAiServer } from '@koco/flow/testing'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { SocketClient } from '../testing/socket-client.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

const PIECE = 'x'.repeat(50_000)
const PIECES = 200

let at: TestPanel
let model: OpenAiServer

beforeAll(async () => {
  model = new OpenAiServer(() => [])
  vi.stubEnv('KODO_LLM_URL', `http://${await model.listen()}/v1`)
  vi.stubEnv('KODO_LLM_MODEL', 'tiny')
  at = await openTestPanel({ settings: { lookAgainMs: 300, blockedMsMax: 2000 } })
})
afterAll(async () => {
  await at.close()
  await model.close()
  vi.unstubAllEnvs()
  await closeTestParts()
})

test('who takes nothing is closed with 4413 and resumes; who takes all has all', async () => {
  const { headers, name } = await at.user('user')
  const [quick, slow] = [await SocketClient.open(at.url, headers), await SocketClient.open(at.url, headers)]
  quick.send('create_session')
  const id = String((await quick.next('session_created')).data['session_id'])
  slow.send('session_control', { action: 'attach', session_id: id })
  await slow.next('session_status')
  slow.socket.pause()
  model.script({ say: Array.from({ length: PIECES }, () => PIECE) })
  quick.send('chat_message', {}, 'much')
  await quick.end()
  const all = quick.frames.filter(({ type }) => type === 'agent_response')
  expect(all.reduce((sum, { content }) => sum + content.length, 0)).toBeGreaterThan(5_000_000)
  // Its lease is free before it reads again: the panel waits for nobody.
  await vi.waitFor(async () => expect(await at.leases.count(`ws:${name}`)).toBe(1), { timeout: 25_000 })
  slow.socket.resume()
  expect([4413, 1006]).toContain(await slow.closed)
  const had = slow.frames.filter(({ type }) => type === 'agent_response')
  expect(had.length).toBeLessThan(all.length)
  const again = await SocketClient.open(at.url, headers)
  again.send('session_control', { action: 'attach', session_id: id, position: had.at(-1)?.data['position'] ?? undefined })
  if (had.length > 0) {
    await again.end()
    const rest = again.frames.filter(({ type }) => type === 'agent_response')
    expect([...had, ...rest].map(({ data }) => data['position'])).toEqual(all.map(({ data }) => data['position']))
  }
  await again.close()
  await quick.close()
})

test('who asks without end and reads no answer is held back, not buffered for', async () => {
  const { headers, name } = await at.user('user')
  const flood = await SocketClient.open(at.url, headers)
  flood.socket.on('error', () => undefined)
  flood.socket.pause()
  const line = JSON.stringify({ type: 'ping', content: '', timestamp: 0, data: { request_id: 'r'.repeat(190) } })
  for (let n = 0; n < 50_000 && flood.socket.readyState === flood.socket.OPEN; n++) flood.socket.send(line)
  await vi.waitFor(async () => expect(await at.leases.count(`ws:${name}`)).toBe(0), { timeout: 25_000 })
  flood.socket.terminate()
  const after = await SocketClient.open(at.url, headers)
  after.send('ping')
  expect((await after.next('session_status')).content).toBe('pong')
  await after.close()
})
