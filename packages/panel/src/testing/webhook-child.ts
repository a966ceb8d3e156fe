// A process for crash tests: a store and the sender of webhooks over a data folder. Arguments: the folder, and `make` and the address to be told (make a webhook and a run that ends), or `send` (until what waits has arrived).
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { newFid, toJsonText, type EventRecord } from '@koco/core'
import { openAdminStore } from '@koco/storage'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { createMemoryTransport } from '@koco/transport'
import { Registry } from 'prom-client'
import { secretHash } from '../auth/secrets.ts'
import { createWakeups } from '../tail/wakeups.ts'
import { newWebhookSecret, webhookSeal } from '../webhooks/secret.ts'
import { createWebhookSender } from '../webhooks/sender.ts'

const WEBHOOK = 'wh_1'
const [dir = '', mode = '', url = ''] = process.argv.slice(2)
process.stdin.on('end', () => process.exit(0)).resume()
const store = await createSqliteExecutionStore({ dir: join(dir, 'execution'), migrate: true })
const admin = await openAdminStore({ url: `sqlite:///${join(dir, 'admin.db')}`, migrate: true })
const seal = webhookSeal(secretHash('a key for tests, long enough for one'))

if (mode === 'make') {
  await admin.users.create({ id: 'u', name: 'ada', email: 'ada@example.com', role: 'operator', active: true, createdAt: 1, passwordHash: null })
  const about = { id: WEBHOOK, url, user: 'ada', runsOf: null, flow: null, events: ['run.finished'] as const, bodies: false, paused: null }
  await store.webhooks.create({ ...about, secret: seal.seal(newWebhookSecret()), createdAt: 1, failingSince: null })
  const fid = newFid(Date.now(), randomBytes(8))
  const run = { fid, flow: 'f', version: null, summary: '', tags: [], parent: null, inputs: {}, user: 'ada' }
  await store.runs.create({ ...run, createdAt: Date.now() / 1000, launcher: 'test', idempotencyKey: null })
  const epoch = Date.now()
  const record = (seq: number, kind: string, data: object): EventRecord => ({ epoch, seq, ts: epoch / 1000, kind, step: null, data: toJsonText(data) })
  const records = [
    record(1, 'attempt', { attempt: 1, reason: 'start', owner: 'test', prev: '0-0' }),
    record(2, 'status', { status: 'running' }),
    record(3, 'status', { status: 'finished' }),
  ]
  await store.writer.write([{ fid, records }])
}

const sender = createWebhookSender({
  store,
  admin,
  seal,
  settings: { isPrivateAllowed: true, timeoutMs: 500, retriesS: Array.from({ length: 100 }, () => 0.1), disableAfterS: 60 },
  publicUrl: 'http://localhost:3370',
  version: 'test',
  clock: Date.now,
  random: Math.random,
  wakeups: await createWakeups(createMemoryTransport().signals),
  delay: { look: () => Promise.resolve(null) },
  catalog: { list: () => [] },
  registry: new Registry(),
  lookAgainMs: 50,
  log: { info: () => undefined, warn: () => undefined },
})
while ((await store.webhooks.deliveries(WEBHOOK, { state: 'delivered', limit: 1 })).items.length === 0) await delay(20)
await sender.close(1_000)
process.stdout.write('delivered\n', () => process.exit(0))
