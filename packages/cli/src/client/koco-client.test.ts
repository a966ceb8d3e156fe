// Goal: programs start, watch and steer runs by the client, and a cut connection loses and doubles nothing. Method: a whole installation in this process, the watching client behind a link that the test cuts.
import { rmSync } from 'node:fs'
import { defineFlow } from '@koco/flow'
import { freePort, newFolder, startFaultProxy, type FaultProxy } from '@koco/testing'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { KocoApiError, KocoClient, type RunEvent } from '../client.ts'
import { openInstallation, type Installation } from '../compose/installation.ts'
import { readSettings } from '../settings/read.ts'

const counts = defineFlow({
  name: 'counts',
  summary: 'Counts and asks',
  inputs: z.object({ to: z.number().int() }),
  async run({ to }, ctx) {
    for (let n = 0; n < to; n++) await ctx.step('count', { key: n }, () => n)
    const { go } = await ctx.lock('go?', { form: z.object({ go: z.boolean() }) })
    for (let n = 0; n < to; n++) await ctx.step('count again', { key: n }, () => n)
    return { go, to }
  },
})

let cwd: string
let koco: Installation
let link: FaultProxy
let client: KocoClient
let watcher: KocoClient
beforeAll(async () => {
  cwd = newFolder('koco-client')
  const port = await freePort()
  const settings = readSettings({ env: { KODO_APP_SERVER: `http://127.0.0.1:${port}`, KODO_AUTH: 'off', KODO_LOG_LEVEL: 'silent' }, flags: {}, cwd })
  koco = await openInstallation(settings, { cwd, log: pino({ level: 'silent' }), version: 'test', flows: [counts], whole: true, webDir: null })
  await koco.panel.listen({ host: '127.0.0.1', port })
  link = await startFaultProxy({ port })
  client = new KocoClient({ address: `http://127.0.0.1:${port}` })
  watcher = new KocoClient({ address: `http://127.0.0.1:${link.port}` })
})
afterAll(async () => {
  await link.close()
  await koco.close(1000)
  rmSync(cwd, { recursive: true, force: true })
})

test('a run is started, watched over cuts, answered and read; each event comes once and in order', async () => {
  const { fid } = await client.start('counts', { to: 20 })
  const seen: RunEvent[] = []
  let cuts = 0
  for await (const event of watcher.watch(fid, { onNotice: ({ kind }) => (cuts += kind === 'reconnecting' ? 1 : 0) })) {
    seen.push(event)
    if (seen.length % 15 === 0) link.cut()
    if (event.kind === 'lock') {
      const [lock] = (await client.get(fid)).locks
      await client.answer(fid, lock?.lid ?? '', { go: true })
    }
  }
  expect(cuts).toBeGreaterThan(0)
  const run = await client.get(fid)
  expect(run).toMatchObject({ status: 'finished', final: { value: { go: true, to: 20 } }, about: 'to=20', events: seen.length })
  const later = seen.slice(1).filter(({ epoch, seq }, index) => epoch > (seen[index]?.epoch ?? 0) || seq === (seen[index]?.seq ?? 0) + 1)
  expect(later).toHaveLength(seen.length - 1)
  expect((await client.result(fid)).status).toBe('finished')
  expect((await client.list({ flow: 'counts', status: ['finished'] })).items.map((one) => one.fid)).toContain(fid)
})

test('one key starts one run; a run is cancelled, and a watcher can stop', async () => {
  const first = await client.start('counts', { to: 1 }, { key: 'the-key' })
  expect(await client.start('counts', { to: 1 }, { key: 'the-key' })).toEqual(first)
  const stop = new AbortController()
  const kinds: string[] = []
  for await (const event of client.watch(first.fid, { signal: stop.signal })) {
    kinds.push(event.kind)
    if (event.kind === 'lock') stop.abort()
  }
  expect(kinds).toContain('lock')
  expect((await client.openLocks()).map((lock) => lock.fid)).toContain(first.fid)
  await client.cancel(first.fid, 'enough')
  expect((await client.result(first.fid)).status).toBe('cancelled')
  await client.retry(first.fid)
})

test('refusals carry the code and the fields; no answer is told as such', async () => {
  await expect(client.start('counts', { to: 'x' })).rejects.toMatchObject({ status: 422, fields: [{ path: '/to', message: 'Must be a number' }] })
  await expect(client.get('0123456789abcdef01234567')).rejects.toBeInstanceOf(KocoApiError)
  const nobody = new KocoClient({ address: `http://127.0.0.1:${await freePort()}` })
  await expect(nobody.list()).rejects.toMatchObject({ status: 0, code: 'unreachable' })
})
