// Goal: a talk goes on by itself when the stores go and come back in the middle of an answer. Method: real processes over a Postgres and a Redis that are killed and started again under them; nobody restarts koco.
import { startPostgres, startRedis } from '@koco/testing'
import { OpenAiServer } from 'koco/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createInstallation } from '../processes/installation.ts'
import { EXAMPLE_FLOWS } from '../processes/stacks.ts'
import { newSession, over, say, talk } from '../processes/talk.ts'

let model: OpenAiServer
let settings: Record<string, string>

beforeEach(async () => {
  model = new OpenAiServer(() => [])
  settings = { KODO_LLM_URL: `http://${await model.listen()}/v1`, KODO_LLM_MODEL: 'tiny' }
})
afterEach(() => model.close())

test('Postgres goes and comes back in the middle of an answer, then Redis does with nothing left: the talk goes on by itself', async () => {
  await using redis = await startRedis()
  await using postgres = await startPostgres()
  const { url } = await postgres.createDatabase()
  const installation = await createInstallation({
    KODO_EVENT_TRANSPORT: 'redis',
    KODO_REDIS_URL: redis.url,
    KODO_EXECUTION_DATABASE: url,
    KODO_FLOWS: EXAMPLE_FLOWS,
    ...settings,
  })
  try {
    await installation.spawn(['db', '--create-tables']).exited
    await installation.startPanel('serve')
    installation.spawn(['spool', '--block', '--spooler-name', 'one'])
    const client = await installation.client()
    const id = await newSession(client)
    // A turn that comes to its end shows that the spooler is at work too.
    model.script({ say: ['Yes.'] })
    await over(client, await say(client, id, 'Ready?'))
    model.script({ say: ['Lis', 'bon.'], hold: true }, { say: ['Mad', 'rid.'], hold: true })
    const first = await say(client, id, 'Capital of Portugal?')
    await model.holding()
    await postgres.kill()
    const away = await client.request('GET', `/api/session?session_id=${id}`)
    expect([away.status, Object.keys((await away.json()) as object)]).toEqual([503, ['error']])
    model.release()
    await postgres.restart()
    await over(client, first)
    const second = await say(client, id, 'And of Spain?')
    await model.holding()
    await redis.restart({ wipe: true })
    model.release()
    await over(client, second)
    expect((await talk(client, id)).map(({ content }) => content)).toEqual(['Ready?', 'Yes.', 'Capital of Portugal?', 'Lisbon.', 'And of Spain?', 'Madrid.'])
    expect(model.requests).toHaveLength(3)
  } finally {
    await installation.close()
  }
})
