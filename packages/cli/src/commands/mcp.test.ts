/*
 * Goal: an AI assistant looks at runs over MCP, and starts, answers and cancels only when that was allowed; what goes wrong is told as a sentence.
 * Method: the real command in a process of its own, called by the SDK's own client over its standard input and output; behind it a whole installation in this process.
 */
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineFlow } from '@koco/flow'
import { freePort, newFolder } from '@koco/testing'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { openInstallation, type Installation } from '../compose/installation.ts'
import { readSettings } from '../settings/read.ts'

const BIN = fileURLToPath(new URL('../../bin/koco.mjs', import.meta.url))
const asks = defineFlow({
  name: 'asks',
  summary: 'Asks whether to go on',
  inputs: z.object({ city: z.string().min(1), days: z.number().int().max(30) }),
  async run({ city, days }, ctx) {
    for (let n = 0; n < 40; n++) await ctx.step('look', { key: n }, () => 'x'.repeat(3_000))
    const { go } = await ctx.lock('go?', { form: z.object({ go: z.boolean() }) })
    return `${city} ${days} ${String(go)} ${'y'.repeat(9_000)}`
  },
})

let cwd: string
let address: string
let koco: Installation
const clients: Client[] = []
beforeAll(async () => {
  cwd = newFolder('cli-mcp')
  const port = await freePort()
  address = `http://127.0.0.1:${port}`
  const settings = readSettings({ env: { KODO_APP_SERVER: address, KODO_AUTH: 'off', KODO_LOG_LEVEL: 'silent' }, flags: {}, cwd })
  koco = await openInstallation(settings, { cwd, log: pino({ level: 'silent' }), version: 'test', flows: [asks], whole: true, webDir: null })
  await koco.panel.listen({ host: '127.0.0.1', port })
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
})
afterAll(async () => {
  await koco.close(1000)
  rmSync(cwd, { recursive: true, force: true })
})

async function connect(...argv: string[]): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' })
  clients.push(client)
  const env = { PATH: process.env['PATH'] ?? '', KODO_APP_SERVER: address }
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [BIN, 'mcp', ...argv], cwd, env }))
  return client
}

type Answer = { readonly isError: boolean; readonly text: string; readonly value: Record<string, unknown> }
async function use(client: Client, name: string, input: Record<string, unknown> = {}): Promise<Answer> {
  const { content, isError = false } = await client.callTool({ name, arguments: input })
  const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('')
  return { isError, text, value: isError ? {} : (JSON.parse(text) as Record<string, unknown>) }
}
const namesOf = async (client: Client): Promise<string[]> => (await client.listTools()).tools.map(({ name }) => name)

test('without --allow-changes it only looks, page by page and within bounds', async () => {
  const { fid } = await koco.launcher.start({ flow: 'asks', inputs: { city: 'Rome', days: 3 }, user: 'admin', idempotencyKey: null })
  await vi.waitUntil(async () => (await koco.store.runs.get(fid))?.status === 'awaiting', { timeout: 20_000, interval: 20 })
  const client = await connect()
  expect(await namesOf(client)).toEqual(['list_flows', 'get_flow', 'list_runs', 'get_run', 'read_events', 'list_questions'])
  expect((await use(client, 'list_flows')).value).toEqual({ flows: [{ name: 'asks', summary: 'Asks whether to go on', tags: [], live: true }], left_off: 0 })
  expect((await use(client, 'get_flow', { flow: 'asks' })).value['inputs']).toMatchObject({ properties: { days: { maximum: 30 } } })
  expect((await use(client, 'list_runs', { flow: 'asks', limit: 5 })).value['items']).toEqual([expect.objectContaining({ fid })])
  expect((await use(client, 'list_questions')).value['questions']).toEqual([expect.objectContaining({ fid, name: 'go?' })])
  const positions: string[] = []
  for (let after: unknown; after !== null;) {
    const { text, value } = await use(client, 'read_events', { fid, limit: 200, ...(after !== undefined && { after }) })
    expect(text.length).toBeLessThan(50_000)
    positions.push(...(value['events'] as { position: string }[]).map(({ position }) => position))
    after = value['next']
  }
  expect(positions).toHaveLength((await koco.store.runs.get(fid))?.events ?? 0)
  expect(new Set(positions).size).toBe(positions.length)
  expect(await use(client, 'get_run', { fid: '0'.repeat(24) })).toMatchObject({ isError: true, text: expect.stringContaining('There is no run') as string })
  expect((await koco.store.runs.get(fid))?.status).toBe('awaiting')
})

test('with it, a run is started by the schema of its flow, answered and read; another is cancelled', async () => {
  const client = await connect('--allow-changes')
  const start = (await client.listTools()).tools.find(({ name }) => name === 'start_run')
  expect(JSON.stringify(start?.inputSchema)).toContain('"maximum":30')
  const refused = await use(client, 'start_run', { flow: 'asks', inputs: { city: 'Rome', days: 99 } })
  expect([refused.isError, refused.text]).toEqual([true, expect.stringMatching(/days|30/)])
  expect(await use(client, 'start_run', { flow: 'nowhere' })).toMatchObject({ isError: true, text: expect.stringContaining('nowhere') as string })
  const inputs = { city: 'Lisbon', days: 2 }
  const [first, again] = [
    await use(client, 'start_run', { flow: 'asks', inputs, key: 'k' }),
    await use(client, 'start_run', { flow: 'asks', inputs, key: 'k' }),
  ]
  const fid = String(first.value['fid'])
  expect(again.value['fid']).toBe(fid)
  const questions = async () => ((await use(client, 'list_questions')).value['questions'] as { fid: string; lid: string }[]).filter((one) => one.fid === fid)
  await vi.waitUntil(async () => (await questions()).length === 1, { timeout: 20_000, interval: 50 })
  const lid = (await questions())[0]?.lid
  expect(await use(client, 'answer_question', { fid, lid, answer: { go: 'perhaps' } })).toMatchObject({
    isError: true,
    text: expect.stringContaining('/go') as string,
  })
  expect((await use(client, 'answer_question', { fid, lid, answer: { go: true }, reason: 'as asked' })).value).toEqual({ answered: lid })
  await vi.waitUntil(async () => (await use(client, 'get_run', { fid })).value['status'] === 'finished', { timeout: 20_000, interval: 50 })
  expect((await use(client, 'get_run', { fid })).text).toMatch(/Lisbon 2 true y+ … \(\d+ more characters\)/)
  const other = String((await use(client, 'start_run', { flow: 'asks', inputs })).value['fid'])
  expect((await use(client, 'cancel_run', { fid: other, reason: 'enough' })).isError).toBe(false)
  await vi.waitUntil(async () => (await koco.store.runs.get(other))?.status === 'cancelled', { timeout: 20_000, interval: 50 })
})

test('a panel that is away is told as such, and asked again by the next call', async () => {
  const away = new Client({ name: 'test', version: '1' })
  clients.push(away)
  const env = { PATH: process.env['PATH'] ?? '', KODO_APP_SERVER: `http://127.0.0.1:${await freePort()}` }
  await away.connect(new StdioClientTransport({ command: process.execPath, args: [BIN, 'mcp', '--allow-changes'], cwd, env }))
  expect(await namesOf(away)).toContain('start_run')
  expect(await use(away, 'list_runs')).toMatchObject({ isError: true, text: expect.stringContaining('No koco answers at') as string })
})
