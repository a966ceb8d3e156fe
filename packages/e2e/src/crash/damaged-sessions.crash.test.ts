// Goal: conversation data that was damaged in the store is found, told in one sentence, and harms nothing else: other talks, lists, search and new turns go on. Method: real processes over SQLite and over Postgres; the damage is
// done by SQL past koco while it runs, and for SQLite also in the bytes of the file while it does not; what the API says is read by a client.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startPostgres, startRedis } from '@koco/testing'
import Database from 'better-sqlite3'
import { OpenAiServer } from 'koco/testing'
import { Client } from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ApiClient } from '../processes/api-client.ts'
import { createInstallation } from '../processes/installation.ts'
import { EXAMPLE_FLOWS, embedded } from '../processes/stacks.ts'
import { newSession, over, say, talk } from '../processes/talk.ts'

let model: OpenAiServer
let settings: Record<string, string>
beforeEach(async () => {
  model = new OpenAiServer(() => [])
  model.otherwise = ({ messages }) => ({ say: [`You said ${String(messages.at(-1)?.content)}.`] })
  settings = { KODO_LLM_URL: `http://${await model.listen()}/v1`, KODO_LLM_MODEL: 'tiny', KODO_FLOWS: EXAMPLE_FLOWS }
})
afterEach(() => model.close())

type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> }

/** Talks with two turns each, two of them damaged by `run`; then everything that a person and a program do. */
async function expectIsolation(client: ApiClient, run: (statement: string) => Promise<void>): Promise<void> {
  const made: string[] = []
  for (const name of ['lost', 'bodiless', 'whole']) {
    const id = await newSession(client)
    for (const text of [`one ${name}`, `two ${name}`]) await over(client, await say(client, id, text))
    made.push(id)
  }
  const [lost = '', bodiless = '', whole = ''] = made
  await run(`DELETE FROM session_entries WHERE session = '${lost}' AND revision = 3`)
  await run(`UPDATE session_entries SET body = '{"messages":[{"role":"assistant","content":"forged"}]}' WHERE session = '${bodiless}' AND revision = 3`)

  const ask = async (method: string, path: string, body?: object): Promise<Answer> => {
    const answer = await client.request(method, path, body)
    return { status: answer.status, body: (await answer.json()) as Answer['body'] }
  }
  const session = async (id: string) => (await ask('GET', `/api/session?session_id=${id}`)).body['session'] as Record<string, unknown>
  // What cannot be read is told, in one sentence, and the rest is there.
  expect(await session(lost)).toMatchObject({
    title: 'one lost',
    _damaged: [3],
    damage: expect.stringMatching(/^Entry 3 of this session's log was changed or taken away outside of koco: .*\.$/) as string,
  })
  expect((await session(bodiless))['damage']).toBe(
    'The text of 1 message here was changed outside of koco and cannot be read; everything else is as it was said.',
  )
  expect(await talk(client, bodiless)).toMatchObject([
    { content: 'one bodiless' },
    { content: '', damaged: true },
    { content: 'two bodiless' },
    { content: 'You said two bodiless.' },
  ])
  expect(await session(whole)).not.toHaveProperty('damage')
  // Nothing is said on top of a hole; it can be branched, exported and deleted.
  const refused = { status: 409, body: { error: 'session data is damaged; what can be read of it can be branched or exported' } }
  expect(await ask('POST', '/api/chat/start', { session_id: lost, message: 'more' })).toEqual(refused)
  for (const name of ['retry', 'undo', 'clear']) expect(await ask('POST', `/api/session/${name}`, { session_id: lost }), name).toEqual(refused)
  const branch = await ask('POST', '/api/session/branch', { session_id: lost })
  expect(branch.status).toBe(200)
  await over(client, await say(client, String(branch.body['session_id']), 'on'))
  expect((await client.request('GET', `/api/session/export?session_id=${lost}&format=html`)).status).toBe(200)
  expect(await ask('GET', `/api/session/status?session_id=${lost}`)).toMatchObject({ status: 200, body: { agent_running: false } })
  // Lists and searches tell it and go on.
  const { sessions } = (await ask('GET', '/api/sessions')).body as { sessions: { session_id: string; damage?: string }[] }
  expect(sessions.map(({ session_id: id }) => id)).toEqual(expect.arrayContaining(made))
  expect(sessions.filter(({ damage }) => damage !== undefined).map(({ session_id: id }) => id)).toEqual([lost])
  expect((await ask('GET', '/api/sessions/search?q=two&content=1&depth=99')).body).toMatchObject({ count: expect.any(Number) as number })
  // The others are as they were, and the talk goes on in them.
  await over(client, await say(client, whole, 'three'))
  expect((await talk(client, whole)).map(({ content }) => content)).toEqual([
    'one whole',
    'You said one whole.',
    'two whole',
    'You said two whole.',
    'three',
    'You said three.',
  ])
  expect(await ask('POST', '/api/session/delete', { session_id: lost })).toEqual({ status: 200, body: { ok: true } })
  expect((await ask('GET', `/api/session?session_id=${lost}`)).status).toBe(404)
}

test('SQLite: rows taken away and changed by SQL', async () => {
  await using stack = await embedded(settings)
  await expectIsolation(await stack.client(), async (statement) => {
    const db = new Database(join(stack.dir, 'execution', 'index.db'))
    db.exec(statement)
    db.close()
  })
})

test('SQLite: a changed byte in the file is found by its sum when koco runs again', async () => {
  await using stack = await embedded(settings)
  const client = await stack.client()
  const [rotten, whole] = [await newSession(client), await newSession(client)]
  const long = 'a sentence that is told again and again. '.repeat(2_000)
  for (const id of [rotten, whole]) await over(client, await say(client, id, `${id} ${long}`))
  await stack.crashPanel(async () => {
    const path = join(stack.dir, 'execution', 'index.db')
    const db = new Database(path)
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.close()
    const bytes = await readFile(path)
    // In the pages that hold what was said, behind the first of them, which has its beginning.
    const at = bytes.indexOf('told again', bytes.indexOf(`"content":"${rotten} a sentence`) + 8_192)
    expect(at).toBeGreaterThan(0)
    bytes.write('TOLD', at)
    await writeFile(path, bytes)
  })
  const messages = await talk(client, rotten)
  expect(messages.filter((message) => 'damaged' in message)).toHaveLength(1)
  expect((await talk(client, whole))[0]).toMatchObject({ content: `${whole} ${long}` })
  await over(client, await say(client, whole, 'and on'))
  expect((await talk(client, whole)).at(-1)).toMatchObject({ content: 'You said and on.' })
})

test('Postgres: rows taken away and changed by SQL', async () => {
  await using redis = await startRedis()
  await using postgres = await startPostgres()
  const { url } = await postgres.createDatabase()
  const installation = await createInstallation({ KODO_EVENT_TRANSPORT: 'redis', KODO_REDIS_URL: redis.url, KODO_EXECUTION_DATABASE: url, ...settings })
  try {
    await installation.spawn(['db', '--create-tables']).exited
    await installation.startPanel('serve')
    installation.spawn(['spool', '--block'])
    await expectIsolation(await installation.client(), async (statement) => {
      const sql = new Client({ connectionString: url })
      await sql.connect()
      await sql.query(statement)
      await sql.end()
    })
  } finally {
    await installation.close()
  }
})
