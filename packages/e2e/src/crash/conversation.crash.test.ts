// Goal: a person's talk survives the death of whatever answers it: kill -9 in the middle of an answer, embedded, over Redis and Postgres, and of a worker of Temporal; what was said into the turn meanwhile is heard.
// Method: real processes, a real local HTTP server as the model that holds its answer, the session API as a program uses it; nobody restarts anything but the process that was killed.
import { OpenAiServer } from 'koco/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ApiClient } from '../processes/api-client.ts'
import { parseSse } from '../processes/api-client.ts'
import { distributed, embedded, type Stack } from '../processes/stacks.ts'
import { temporalStack } from '../processes/temporal-stack.ts'

type Message = { readonly role: string; readonly content: unknown; readonly interrupted?: boolean }
type Session = { readonly session_id: string; readonly messages: readonly Message[] }

let model: OpenAiServer
let settings: Record<string, string>

beforeEach(async () => {
  model = new OpenAiServer(() => [])
  settings = { KODO_LLM_URL: `http://${await model.listen()}/v1`, KODO_LLM_MODEL: 'tiny' }
})
afterEach(() => model.close())

async function newSession(client: ApiClient): Promise<string> {
  return (await client.json<{ session: Session }>('POST', '/api/session/new', {})).session.session_id
}

async function say(client: ApiClient, id: string, message: string): Promise<string> {
  return (await client.json<{ stream_id: string }>('POST', '/api/chat/start', { session_id: id, message })).stream_id
}

/** Follows the stream to its end, through the deaths of panels. */
async function over(client: ApiClient, fid: string): Promise<void> {
  let position = ''
  for (;;) {
    try {
      const response = await client.request('GET', `/api/chat/stream?stream_id=${fid}`, undefined, {
        accept: 'text/event-stream',
        ...(position && { 'last-event-id': position }),
      })
      if (response.status === 204) return
      if (!response.body) continue
      for await (const frame of parseSse(response.body)) {
        if (frame.id !== null) position = frame.id
        if (frame.event === 'end') return
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
  }
}

async function talk(client: ApiClient, id: string): Promise<readonly Message[]> {
  return (await client.json<{ session: Session }>('GET', `/api/session?session_id=${id}`)).session.messages
}

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
