// Goal: `koco prune` keeps what the settings say, archives what goes in a form that an import takes back, and needs no running koco. Method: a data folder written through the store, the real command
// line with a fake terminal, then a whole installation on what is left.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { newFid, toJsonText, type EventRecord } from '@koco/core'
import { FileFolder } from '@koco/flow'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { freePort, newFolder } from '@koco/testing'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openInstallation } from '../compose/installation.ts'
import { runCommand } from '../main.ts'
import { fakeIo } from '../output/fake-io.ts'
import { readSettings } from '../settings/read.ts'

const NOW_S = Math.floor(Date.now() / 1000)
const DAY_S = 86_400

let cwd: string
beforeEach(() => {
  cwd = newFolder('cli-prune')
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

async function koco(argv: readonly string[], env: Record<string, string> = {}) {
  const io = fakeIo(cwd, { KODO_LOG_LEVEL: 'silent', ...env }, '')
  const code = await runCommand([...argv], io)
  return { code, out: io.printed.join('\n'), err: io.complaints.join('\n') }
}

/** Runs that ended so many days ago, each with a file; gives their ids. `live`: one that did not end. */
async function oldRuns(...specs: readonly { readonly days: number; readonly flow?: string; readonly live?: true }[]): Promise<string[]> {
  const store = await createSqliteExecutionStore({ dir: join(cwd, 'data/execution'), migrate: true })
  const files = new FileFolder(join(cwd, 'data/uploads'))
  const fids: string[] = []
  for (const { days, flow = 'trip', live } of specs) {
    const at = NOW_S - days * DAY_S
    const fid = newFid(at * 1000, crypto.getRandomValues(new Uint8Array(8)))
    const record = (seq: number, kind: string, data: object): EventRecord => ({ epoch: at * 1000, seq, ts: at, kind, step: null, data: toJsonText(data) })
    await store.runs.create({
      fid,
      flow,
      version: null,
      user: 'ada',
      summary: 's',
      tags: [],
      parent: null,
      inputs: { days },
      createdAt: at,
      launcher: 'direct',
      idempotencyKey: null,
    })
    const events = [
      record(1, 'attempt', { attempt: 1, reason: 'start', owner: 'x', prev: '0-0' }),
      record(2, 'status', { status: 'running' }),
      record(3, 'final', { type: 'text', value: `day ${days}` }),
      record(4, 'status', { status: 'finished' }),
    ]
    await store.writer.write([{ fid, records: live ? events.slice(0, 2) : events }])
    await files.write(fid, 'out/report.txt', 'r'.repeat(1000))
    fids.push(fid)
  }
  await store.close()
  return fids
}

async function left(): Promise<string[]> {
  const store = await createSqliteExecutionStore({ dir: join(cwd, 'data/execution') })
  const { items } = await store.runs.list({ limit: 100 })
  await store.close()
  return items.map(({ fid }) => fid)
}

test('what is too old goes, whole, after it was archived; what is over for less than the grace, or not over, stays', { timeout: 120_000 }, async () => {
  const [old = '', live, young, fresh] = await oldRuns({ days: 40 }, { days: 50, live: true }, { days: 3 }, { days: 0 })
  const env = { KODO_RETAIN_DAYS: '30', KODO_RETAIN_ARCHIVE: './archive' }
  const dry = await koco(['prune', '--dry-run'], env)
  expect(dry).toMatchObject({ code: 0, out: expect.stringContaining(old) })
  expect(dry.out).toContain('1 runs with 4 events')
  expect(await left()).toHaveLength(4)
  const done = await koco(['prune', '-o', 'ids'], env)
  expect(done).toMatchObject({ code: 0, out: old })
  expect(await left()).toEqual([fresh, young, live])
  expect(existsSync(join(cwd, 'data/execution/ada', old))).toBe(false)
  expect(existsSync(join(cwd, 'data/uploads/runs', old))).toBe(false)
  expect(readdirSync(join(cwd, 'data/uploads/starting'))).toEqual([])
  const [month = ''] = readdirSync(join(cwd, 'archive'))
  expect(readFileSync(join(cwd, 'archive', month, `${old}.files/out/report.txt`), 'utf8')).toHaveLength(1000)
  const lines = gunzipSync(readFileSync(join(cwd, 'archive', month, `${old}.jsonl.gz`)))
    .toString()
    .trim()
    .split('\n')
  expect(lines).toHaveLength(5)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ run: { fid: old, status: 'finished', inputs: { days: 40 } } })
  expect((await koco(['prune'], { ...env, KODO_RETAIN_DAYS: '1' })).out).toContain('1 runs with 4 events')
  expect(await left()).toEqual([fresh, live])
})

test('an archive is read back by an import', { timeout: 120_000 }, async () => {
  const [old = ''] = await oldRuns({ days: 40 })
  await koco(['prune'], { KODO_RETAIN_DAYS: '30', KODO_RETAIN_ARCHIVE: './archive' })
  const port = await freePort()
  const env = { KODO_APP_SERVER: `http://127.0.0.1:${port}`, KODO_AUTH: 'off', KODO_LOG_LEVEL: 'silent' }
  const options = { cwd, log: pino({ level: 'silent' }), version: 'test', flows: [], whole: true, webDir: null }
  const installation = await openInstallation(readSettings({ env, flags: {}, cwd }), options)
  try {
    await installation.panel.listen({ host: '127.0.0.1', port })
    const [month = ''] = readdirSync(join(cwd, 'archive'))
    const imported = await koco(['runs', 'import', `archive/${month}/${old}.jsonl.gz`], env)
    expect(imported).toMatchObject({ code: 0, err: '' })
    expect(await installation.store.runs.get(imported.out)).toMatchObject({ flow: 'trip', final: { type: 'text', value: 'day 40' }, tags: ['imported'] })
  } finally {
    await installation.close(500)
  }
})

test('number and bytes count from the newest, for all flows and for one', { timeout: 120_000 }, async () => {
  const [a, b] = [{ flow: 'a' }, { flow: 'b' }]
  const [a1, b1, a2, a3, b2] = await oldRuns({ days: 9, ...a }, { days: 8, ...b }, { days: 7, ...a }, { days: 6, ...a }, { days: 5, ...b })
  expect((await koco(['prune', '-o', 'ids'], { KODO_RETAIN_FLOWS: 'a:runs=1' })).out).toBe([a1, a2].join('\n'))
  expect((await koco(['prune', '-o', 'ids'], { KODO_RETAIN_RUNS: '2' })).out).toBe(b1)
  expect(await left()).toEqual([b2, a3])
  const report = await koco(['prune', '-o', 'json', '--compact'], { KODO_RETAIN_BYTES: '20000' })
  expect(JSON.parse(report.out)).toMatchObject({ runs: 1, events: 4, reasons: { bytes: 1 } })
  expect(await left()).toEqual([b2])
})

test('wrong limits and a place without runs are said in one sentence', async () => {
  expect(await koco(['prune'], { KODO_RETAIN_FLOWS: 'a:hours=1' })).toMatchObject({ code: 2, err: expect.stringContaining('RETAIN_FLOWS') })
  expect(await koco(['prune'])).toMatchObject({ code: 4, err: expect.stringContaining('There are no runs in') })
})
