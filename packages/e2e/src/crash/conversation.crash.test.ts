// Goal: a person's talk survives the death of whatever answers it: kill -9 in the middle of an answer, embedded, over Redis and Postgres, and of a worker of Temporal; what was said into the turn meanwhile is heard.
// Method: real processes, a real local HTTP server as the model that holds its answer, the session API as a program uses it; nobody restarts anything but the process that was killed.
import { OpenAiServer } from 'koco/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { distributed, embedded, type Stack } from '../processes/stacks.ts'
import { newSession, over, say, talk } from '../processes/talk.ts'
import { temporalStack } from '../processes/temporal-stack.ts'

let model: OpenAiServer
let settings: Record<string, string>

beforeEach(async () => {
  model = new OpenAiServer(() => [])
  settings = { KODO_LLM_URL: `http://${await model.listen()}/v1`, KODO_LLM_MODEL: 'tiny' }
})
afterEach(() => model.close())

async function expectToSurvive(stack: Stack): Promise<void> {
  const client = await stack.client()
  const id = await newSession(client)
  model.script({ say: ['Half an ans'], hold: true }, { say: ['Lisbon.'] }, { say: ['Madrid.'] })
  const fid = await say(client, id, 'Capital of Portugal?')
  await model.holding()
  await stack.crashPanel(async () => undefined)
  await over(client, fid)
  await over(client, await say(client, id, 'And of Spain?'))
  expect((await talk(client, id)).map(({ role, content, interrupted }) => [role, content, interrupted ?? false])).toEqual([
    ['user', 'Capital of Portugal?', false],
    ['assistant', 'Lisbon.', false],
    ['user', 'And of Spain?', false],
    ['assistant', 'Madrid.', false],
  ])
  expect(await client.json('GET', `/api/session/status?session_id=${id}`)).toMatchObject({ agent_running: false, message_count: 4, total_tokens: 260 })
  expect(model.requests).toHaveLength(3)
}

test('embedded: the process is killed in the middle of an answer', async () => {
  await using stack = await embedded(settings)
  await expectToSurvive(stack)
})

test('over Redis and Postgres: the panel is killed in the middle of an answer', async () => {
  await using stack = await distributed(1, settings)
  await expectToSurvive(stack)
})

test('with Temporal: the worker is killed in the middle of an answer, another one hears what was said meanwhile', async () => {
  await using stack = await temporalStack(settings)
  const client = await stack.client()
  const worker = await stack.startWorker(client)
  const id = await newSession(client)
  model.script({ say: ['Half an ans'], hold: true }, { say: ['Lisbon.'] }, { say: ['Lisboa.'] })
  const fid = await say(client, id, 'Capital of Portugal?')
  await model.holding()
  await client.json('POST', '/api/chat/steer', { session_id: id, text: 'In Portuguese' })
  await worker.kill('SIGKILL')
  await stack.startWorker(client)
  await over(client, fid)
  expect((await talk(client, id)).map(({ content }) => content)).toEqual(['Capital of Portugal?', 'Lisbon.', 'In Portuguese', 'Lisboa.'])
  model.script({ say: ['Slow'], hold: true })
  const next = await say(client, id, 'More?')
  await model.holding()
  expect(await client.json('POST', '/api/chat/cancel', { stream_id: next })).toMatchObject({ cancelled: true })
  await over(client, next)
  expect((await talk(client, id)).at(-1)).toMatchObject({ content: 'Slow', interrupted: true })
})
