// Goal: after a move the new place holds what the old one held, to the byte, whatever it was and however often the move was cut off. Method: random runs delivered in random pieces into SQLite, moved into a database
// of Postgres, cut off at a random call; the timelines, runs and the report compared.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalJson, toJson } from '@koco/core'
import { createDatabase, newFolder } from '@koco/testing'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { someWebhook } from '../contract/webhooks.ts'
import { attempt, lines, opening, plainRun, record, someFid, someRun, START, status, timeline } from '../contract/scenario.ts'
import { moveAdmin, openAdminStore } from '../open-admin-store.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { Schedule } from '../port/schedules.ts'
import { createPostgresExecutionStore } from '../postgres/index.ts'
import { createSqliteExecutionStore } from '../sqlite/index.ts'
import { SIDE_TABLES } from '../side-tables.ts'
import { moveExecutionStore } from './move-store.ts'

const E1 = START * 1000
const E2 = E1 + 50

let folder: string
let database: Awaited<ReturnType<typeof createDatabase>>
let from: ExecutionStore
let to: ExecutionStore
beforeEach(async () => {
  folder = newFolder('move')
  database = await createDatabase(inject('postgresUrl'))
  from = await createSqliteExecutionStore({ dir: join(folder, 'execution'), migrate: true, chunkBytesMax: 50_000 })
  to = await createPostgresExecutionStore({ url: database.url, migrate: true })
})
afterEach(async () => {
  await from.close()
  await to.close()
  await database.drop()
  rmSync(folder, { recursive: true, force: true })
})

const SCHEDULE: Omit<Schedule, 'flow' | 'inputs'> = {
  id: 's',
  user: 'ada',
  launcher: 'direct',
  timing: { everyMs: 60_000 },
  missed: 'once',
  overlap: 'skip',
  createdAt: START,
  paused: false,
  nextAt: START + 60,
  lastAt: null,
  lastFid: null,
  problem: null,
}

const TOKENS = { input_uncached: 1, cache_read: 2, cache_write: 3, output: 4, reasoning: 5 }
const MODEL = record(E1, 704, 'model', { provider: 'local', model: 'tiny', duration_s: 1.5, tokens: TOKENS, cost: 0.25 })

/** Runs of every kind: over, waiting for a person with an answer under way, retried, behind a hole, archived, made by events alone. */
async function fill(): Promise<string[]> {
  const [over, asking, retried, holed, bare] = [someFid(1), someFid(2), someFid(3), someFid(4), someFid(5)]
  for (const fid of [over, asking, retried, holed])
    await from.runs.create({ ...someRun(fid, { inputs: { text: 'grün 🚂', n: [1.5, null] } }), idempotencyKey: `key of ${fid}` })
  const lock = record(E1, 6, 'lock', { lid: 'l', name: 'n', form: { type: 'object' }, data: { z: 1, a: 2 }, expires_at: E1 })
  await from.writer.write([
    { fid: over, records: [...plainRun(E1, 698).slice(0, -2), MODEL, ...plainRun(E1, 699).slice(-2)] },
    { fid: asking, records: [...opening(E1), lock, status(E1, 7, 'awaiting', START + 9)] },
    {
      fid: retried,
      records: [
        ...opening(E1),
        ...lines(E1, 6, 5),
        status(E1, 11, 'error'),
        attempt(E2, { epoch: E1, seq: 11 }, { attempt: 2, reason: 'retry' }),
        status(E2, 2, 'running'),
      ],
    },
    { fid: holed, records: [...opening(E1), ...lines(E1, 9, 3)] },
    { fid: bare, records: [...opening(E1), record(E1, 6, 'step', { ...STEP, content: { sha256: 'ab'.repeat(32), bytes: 70_000, stored: 900 } })] },
  ])
  await from.writer.write([{ fid: retried, records: lines(E1, 12, 2) }])
  await from.locks.answer(asking, { lid: 'l', answer: { yes: true }, by: 'ada', at: START + 1 })
  await from.runs.request(holed, { wanted: 'cancel', by: 'ada', reason: null, at: START + 2.25 })
  await from.runs.archive(over, true)
  await from.keeper.putSideRows('budgets', [{ id: 'b', about: '{"limit":1}' }])
  const names = { id: 'c', session: 'abcdef000001', username: 'ada', parent: null, merged: null, locked: null, tokens: '\n', search: 'c', about: '{}' }
  await from.keeper.putSideRows('checkpoints', [{ ...names, created_at: START + 0.5, bytes: 10, added: 5, revision: 1 }])
  await from.checkpoints.setTask({ kind: 'auto', session: 'abcdef000001', about: { interval_s: 60 } })
  await from.webhooks.create(someWebhook('wh-moved', { flow: null }))
  await from.webhooks.noteTest('wh-moved', START + 0.5)
  await from.dead.add({ fid: over, position: `${E1}-9999`, reason: 'r', body: '{', at: START })
  await from.sessions.create({ id: 'abcdef000001', user: 'ada', at: START, title: 'A talk', messages: [{ id: 'm', role: 'user', content: 'hi' }] })
  await from.schedules.create({ ...SCHEDULE, flow: 'trip-planner', inputs: { z: 1, a: [] } })
  await from.flows.heartbeat({ id: 'w', launcher: 'direct', host: 'h', pid: 1, seenAt: START }, [
    { name: 'trip-planner', version: '1', summary: 's', description: 'd', tags: ['t'], author: null, inputs: { type: 'object' } },
  ])
  return [over, asking, retried, holed, bare]
}

const STEP = { phase: 'finished', id: 's', name: 's', try: 1, duration_s: 1, result: null } as const

async function expectSame(fids: readonly string[]): Promise<void> {
  for (const fid of fids) {
    expect(await to.runs.get(fid)).toEqual(await from.runs.get(fid))
    expect(await timeline(to, fid, 300)).toEqual(await timeline(from, fid, 300))
    expect(await to.locks.answers(fid)).toEqual(await from.locks.answers(fid))
    expect(await to.runs.wanted(fid)).toEqual(await from.runs.wanted(fid))
  }
  expect(await to.schedules.get('s')).toEqual(await from.schedules.get('s'))
  expect(await to.sessions.read('abcdef000001')).toEqual(await from.sessions.read('abcdef000001'))
  const sorted = (rows: readonly object[]) => rows.map((row) => canonicalJson(toJson(row))).toSorted()
  for (const table of SIDE_TABLES) {
    const rows = await from.keeper.sideRows(table)
    expect(rows, table).not.toEqual([])
    expect(sorted(await to.keeper.sideRows(table)), table).toEqual(sorted(rows))
  }
  expect((await to.flows.list()).map(({ name, workers }) => [name, workers])).toEqual([['trip-planner', []]])
}

test('everything is there after a move, and a second one changes nothing', async () => {
  const fids = await fill()
  const report = await moveExecutionStore(from, to)
  expect(report).toMatchObject({ runs: 5, unfinished: 4, sessions: 1, schedules: 1, deadEvents: 1 })
  await expectSame(fids)
  expect(await moveExecutionStore(from, to)).toEqual(report)
  const [, , , holed = ''] = fids
  await to.writer.write([{ fid: holed, records: lines(E1, 6, 3) }])
  expect(await timeline(to, holed)).toEqual([...opening(E1), ...lines(E1, 6, 6)])
  expect(await to.runs.create({ ...someRun(someFid()), idempotencyKey: `key of ${holed}` })).toEqual({ fid: holed, created: false })
})

test('a move that is cut off anywhere goes on when it is called again', async () => {
  const fids = await fill()
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 12 }), async (calls) => {
      let left = calls
      const cut = async () => {
        if (left-- === 0) throw new Error('cut off')
      }
      const { keeper } = to
      const flaky: ExecutionStore = {
        ...to,
        keeper: {
          ...keeper,
          addRecords: async (run, records) => (await cut(), await keeper.addRecords(run, records)),
          put: async (copies) => (await cut(), await keeper.put(copies)),
          putSessions: async (copies) => (await cut(), await keeper.putSessions(copies)),
        },
      }
      await moveExecutionStore(from, flaky).catch((error: Error) => expect(error.message).toBe('cut off'))
    }),
    { numRuns: 8 },
  )
  await moveExecutionStore(from, to)
  await expectSame(fids)
})

test('what differs afterwards is named', async () => {
  const [over = ''] = await fill()
  await moveExecutionStore(from, to)
  const [copy] = (await from.keeper.copies(null, 1000)).filter(({ state }) => state.fid === over)
  if (!copy) throw new Error('there is no copy')
  await to.keeper.addRecords(copy.state, [record(E1, 5000, 'debug', { type: 'text', value: 'not ours' })])
  await expect(moveExecutionStore(from, to)).rejects.toMatchObject({
    code: 'move_differs',
    message: expect.stringContaining(`${over}: 706 events here, 707 there`),
  })
})

test('users, their keys and sessions are moved row by row, and a taken name is told', async () => {
  const url = `sqlite:////${join(folder, 'admin.db')}`
  const old = await openAdminStore({ url, migrate: true })
  const user = { id: 'u1', name: 'ada', email: 'Ada@example.com', role: 'operator', active: true, createdAt: START + 0.5, passwordHash: '$argon2id$x' } as const
  await old.users.create(user)
  await old.keys.create({ id: 'k1', userId: 'u1', name: 'ci', prefix: 'abcd', hash: 'h1', createdAt: START, usedAt: null })
  await old.sessions.create({ idHash: 's1', userId: 'u1', createdAt: START, seenAt: START, expiresAt: START * 2, agent: 'test' })
  await old.close()
  const report = await moveAdmin({ url }, { url: database.url })
  expect(report.tables).toMatchObject({ users: 1, api_keys: 1, sessions: 1 })
  expect(await moveAdmin({ url }, { url: database.url })).toEqual(report)
  const moved = await openAdminStore({ url: database.url })
  expect(await moved.users.find('ada')).toMatchObject(user)
  expect(await moved.keys.byHash('h1')).toMatchObject({ id: 'k1', userId: 'u1' })
  expect(await moved.sessions.get('s1')).toMatchObject({ userId: 'u1', expiresAt: START * 2 })
  await moved.users.update('u1', { role: 'viewer' })
  await moved.close()
  await expect(moveAdmin({ url }, { url: database.url })).rejects.toMatchObject({
    code: 'move_differs',
    message: expect.stringContaining('1 of 1 rows of users'),
  })
})
