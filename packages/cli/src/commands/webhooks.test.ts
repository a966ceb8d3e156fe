// Goal: webhooks are made, tested, paused and looked at by the command line. Method: a whole installation in this process, without sign-in, the real command line beside it with a fake terminal, and an HTTP server that takes the notices.
import { rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { defineFlow } from '@koco/flow'
import { freePort, newFolder } from '@koco/testing'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { openInstallation, type Installation } from '../compose/installation.ts'
import { runCommand } from '../main.ts'
import { fakeIo } from '../output/fake-io.ts'
import { readSettings } from '../settings/read.ts'

const quick = defineFlow({ name: 'quick', summary: 'Is over at once', inputs: z.object({}), run: () => 1 })

let cwd: string
let env: Record<string, string>
let koco: Installation
let receiver: Server
const came: string[] = []
beforeAll(async () => {
  receiver = createServer((request, response) => {
    came.push(String(request.headers['webhook-id']))
    request.resume().on('end', () => response.writeHead(204).end())
  })
  await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done))
  cwd = newFolder('cli-webhooks')
  const port = await freePort()
  env = { KODO_APP_SERVER: `http://127.0.0.1:${port}`, KODO_AUTH: 'off', KODO_LOG_LEVEL: 'silent', KODO_WEBHOOK_PRIVATE: 'on' }
  const settings = readSettings({ env, flags: {}, cwd })
  koco = await openInstallation(settings, { cwd, log: pino({ level: 'silent' }), version: 'test', flows: [quick], whole: true, webDir: null })
  await koco.admin.users.create({ id: 'a', name: 'admin', email: 'a@example.com', role: 'operator', active: true, createdAt: 1, passwordHash: null })
  await koco.panel.listen({ host: '127.0.0.1', port })
})
afterAll(async () => {
  await koco.close(1000)
  receiver.closeAllConnections()
  await new Promise((done) => receiver.close(done))
  rmSync(cwd, { recursive: true, force: true })
})

async function run(...argv: string[]) {
  const io = fakeIo(cwd, env, '')
  const code = await runCommand(['webhooks', ...argv], io)
  return { code, out: io.printed.join('\n'), err: io.complaints.join('\n') }
}

test('an address is told of a run, its log is shown, a notice is sent again, and it is paused and deleted', async () => {
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
  const made = await run('create', url, '--event', 'run.finished', 'run.error', '-o', 'json')
  expect([made.err, made.code]).toEqual(['', 0])
  const { id, secret } = JSON.parse(made.out) as { id: string; secret: string }
  expect(secret).toMatch(/^whsec_/)
  const { fid } = await koco.launcher.start({ flow: 'quick', inputs: {}, user: 'admin', idempotencyKey: null })
  const delivered = () => run('log', id, '--state', 'delivered', '-o', 'json')
  await vi.waitUntil(async () => (await delivered()).out !== '[]', { timeout: 20_000, interval: 50 })
  const [notice] = JSON.parse((await delivered()).out) as { id: string; type: string; fid: string }[]
  expect(notice).toMatchObject({ id: came[0], type: 'run.finished', fid })
  expect((await run('resend', id, notice?.id ?? '')).out).toBe(notice?.id)
  await vi.waitUntil(() => came.length === 2, { timeout: 20_000, interval: 20 })
  expect(came[1]).toBe(came[0])
  expect((await run('pause', id)).out).toBe(id)
  expect((await run('list')).out).toMatch(new RegExp(`${id} .*run.finished run.error .*paused`))
  expect((await run('test', id)).err).toContain('paused')
  expect((await run('secret', id)).out).toMatch(/^whsec_/)
  expect((await run('delete', id)).code).toBe(0)
  expect((await run('list')).out).toContain('No webhooks.')
  expect((await run('create', url)).code).toBe(2)
})
