// Goal: a chat flow answers with the whole talk before it, calls tools with a person's leave, hears what is said into its turn, and stores its words as they come. Method: a real local HTTP server speaks the
// streaming chat protocol and answers as scripted; the flow is run to its end by the test runner.
import type { Json } from '@koco/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { OpenAiServer, runFlow, type Scripted, type TestRun } from '../testing/index.ts'
import type { TestMessage } from '../testing/conversation.ts'
import { defineCompressFlow } from './compress.ts'
import { defineChatFlow } from './define.ts'
import { chatTool } from './tools.ts'

let server: OpenAiServer | undefined
beforeEach(() => {
  for (const name of ['KODO_LLM_URL', 'KODO_LLM_MODEL', 'KODO_LLM_KEY']) vi.stubEnv(name, undefined)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await server?.close()
})

const TURN = { session_id: '0123456789ab', revision: 1 }
const user = (content: string) => ({ role: 'user', content })

async function serve(...script: Scripted[]) {
  const serving = new OpenAiServer(() => script)
  server = serving
  return {
    model: { url: `http://${await serving.listen()}/v1`, name: 'tiny', key: 'secret', provider: 'local' },
    requests: serving.requests,
    keys: serving.keys,
  }
}

const said = (run: TestRun) => run.events.flatMap((event) => (event.kind === 'action' && event.data.name === 'chat.message' ? [event.data.value] : []))

describe('a model answers', () => {
  test('with the talk before it, its words shown live, its usage counted', async () => {
    const { model, requests, keys } = await serve({ reasoning: ['Let me ', 'see.'], say: ['Lis', 'bon.'] })
    const chat = defineChatFlow({ name: 'chat', summary: 'Answers', model, instructions: 'Be brief.' })
    const talk = [user('Hi'), { role: 'assistant', content: 'Hello!' }, { role: 'assistant', content: '', interrupted: true }, user('Capital of Portugal?')]
    const run = await runFlow(chat, TURN, { messages: talk })
    expect(run.error).toBeNull()
    expect(run.final).toEqual({ type: 'markdown', value: 'Lisbon.' })
    expect(run.deltas.map(({ text }) => text).join('')).toBe('Lisbon.')
    expect(requests[0]?.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      user('Hi'),
      { role: 'assistant', content: 'Hello!' },
      user('Capital of Portugal?'),
    ])
    expect(keys).toEqual(['Bearer secret'])
    expect(said(run)).toEqual([{ role: 'assistant', content: 'Lisbon.', model: 'tiny', reasoning: 'Let me see.' }])
    expect(run.events.filter(({ kind }) => kind === 'model').map(({ data }) => data)).toMatchObject([
      { provider: 'local', model: 'tiny', tokens: { input_uncached: 60, cache_read: 40, cache_write: 0, output: 20, reasoning: 10 }, cost: null },
    ])
  })

  test('calls its tools, and is told what went wrong in them', async () => {
    const { model, requests } = await serve(
      {
        call: [
          { id: 'c1', name: 'add', input: { a: 1, b: 2 } },
          { id: 'c2', name: 'add', input: { a: 'x' } },
          { id: 'c3', name: 'nope', input: {} },
          { id: 'c4', name: 'fail', input: {} },
        ],
      },
      { say: ['Three.'] },
    )
    const add = chatTool({ description: 'Adds', input: z.object({ a: z.number(), b: z.number() }), run: ({ a, b }) => a + b })
    const fail = chatTool({
      description: 'Fails',
      input: z.object({}),
      run: () => {
        throw new Error('on purpose')
      },
    })
    const run = await runFlow(defineChatFlow({ name: 'chat', summary: 'Answers', model, tools: { add, fail } }), TURN, { messages: [user('1+2?')] })
    expect(run.final?.value).toBe('Three.')
    const results = requests[1]?.messages.filter(({ role }) => role === 'tool').map(({ content }) => content)
    expect(results).toEqual([
      '3',
      expect.stringContaining('Error: The input does not fit'),
      expect.stringContaining('Error: There is no tool "nope"'),
      'Error: on purpose',
    ])
    expect(said(run).map((message) => (message as { role: string }).role)).toEqual(['assistant', 'tool', 'tool', 'tool', 'tool', 'assistant'])
  })

  test('asks a person before a tool that needs it', async () => {
    const calls = [
      { call: [{ id: 'c1', name: 'wipe', input: { path: 'safe' } }] },
      { call: [{ id: 'c2', name: 'wipe', input: { path: 'all' } }] },
      { call: [{ id: 'c3', name: 'wipe', input: { path: 'all' } }] },
      { say: ['Done.'] },
    ]
    const { model, requests } = await serve(...calls)
    const wiped: string[] = []
    const wipe = chatTool({
      description: 'Deletes',
      input: z.object({ path: z.string() }),
      approve: ({ path }) => path === 'all',
      run: ({ path }) => {
        wiped.push(path)
        return `${path} is gone`
      },
    })
    const asked: unknown[] = []
    const answer = (data: Json, count: number): Json => {
      asked.push(data)
      return count === 1 ? { approve: false, note: 'not today' } : { approve: true }
    }
    const run = await runFlow(defineChatFlow({ name: 'chat', summary: 'Answers', model, tools: { wipe } }), TURN, {
      messages: [user('wipe')],
      answers: { 'approve wipe': answer },
    })
    expect(run.final?.value).toBe('Done.')
    expect(wiped).toEqual(['safe', 'all'])
    expect(asked).toEqual([
      { tool: 'wipe', input: { path: 'all' } },
      { tool: 'wipe', input: { path: 'all' } },
    ])
    const last = requests.at(-1)?.messages.filter(({ role }) => role === 'tool')
    expect(last?.map(({ content }) => content)).toEqual(['safe is gone', 'Error: A person refused this call: not today', 'all is gone'])
  })

  test('hears what is said into its turn before its next call', async () => {
    const { model, requests } = await serve({ call: [{ id: 'c1', name: 'look', input: {} }] }, { say: ['Fine.'] })
    const look = chatTool({ description: 'Looks', input: z.object({}), run: () => 'seen' })
    const run = await runFlow(defineChatFlow({ name: 'chat', summary: 'Answers', model, tools: { look } }), TURN, {
      messages: [user('Go')],
      steers: ['Be quick'],
    })
    expect(run.final?.value).toBe('Fine.')
    expect(requests[0]?.messages.at(-1)).toEqual(user('Be quick'))
    expect(said(run).filter((message) => (message as { steer?: boolean }).steer)).toEqual([{ id: 's0', role: 'user', content: 'Be quick', steer: true }])
  })

  test('is asked again when its server is busy, and not when it refuses', async () => {
    const { model, requests } = await serve({ status: 503 }, { say: ['Back.'] }, { status: 401 })
    const chat = defineChatFlow({ name: 'chat', summary: 'Answers', model })
    expect((await runFlow(chat, TURN, { messages: [user('Hi')] })).final?.value).toBe('Back.')
    const refused = await runFlow(chat, TURN, { messages: [user('Hi')] })
    expect(refused.error?.message).toContain('scripted 401')
    expect(requests).toHaveLength(3)
  })

  test('of the environment, and says what to set when it names none', async () => {
    const chat = defineChatFlow({ name: 'chat', summary: 'Answers' })
    const run = await runFlow(chat, TURN, { messages: [user('Hi')] })
    expect(run.error).toMatchObject({
      code: 'no_model',
      message: expect.stringContaining('set KODO_LLM_URL (for example https://api.example.com/v1) and KODO_LLM_MODEL'),
    })
    const { model, requests } = await serve({ say: ['Hi.'] })
    vi.stubEnv('KODO_LLM_URL', model.url)
    expect((await runFlow(chat, { ...TURN, model: 'wanted' }, { messages: [user('Hi')] })).final?.value).toBe('Hi.')
    expect(requests[0]?.model).toBe('wanted')
  })

  test('parts of several kinds reach it as such; a call without a result gets one', async () => {
    const { model, requests } = await serve({ say: ['A cat.'] })
    const calls = [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":"cat"}' } }]
    const talk: TestMessage[] = [
      user('Look'),
      { role: 'assistant', content: '', tool_calls: calls },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'And this?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
        ],
        attachments: [{ name: 'cat.png' }],
      },
    ]
    const run = await runFlow(defineChatFlow({ name: 'chat', summary: 'Answers', model }), TURN, { messages: talk })
    expect(run.error).toBeNull()
    expect(requests[0]?.messages.slice(1)).toMatchObject([
      user('Look'),
      { role: 'assistant', tool_calls: [{ id: 'c1', function: { name: 'look', arguments: '{"at":"cat"}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: 'Error: interrupted before there was a result.' },
      {
        role: 'user',
        content: [{ type: 'text', text: 'And this?' }, { type: 'image_url' }, { type: 'text', text: '[Attached files: cat.png]' }],
      },
    ])
  })
})

test("a function of one's own answers a turn", async () => {
  const echo = defineChatFlow({
    name: 'echo',
    summary: 'Echoes',
    tags: ['demo'],
    run(turn, ctx) {
      turn.piece('You ')
      turn.say({ role: 'assistant', content: `You said: ${turn.text}` })
      return ctx.text(turn.messages.length.toString())
    },
  })
  expect(echo.tags).toEqual(['chat', 'demo'])
  const run = await runFlow(echo, TURN, { messages: [user('a'), user('b')] })
  expect([run.final?.value, said(run)]).toEqual(['2', [{ role: 'assistant', content: 'You said: b' }]])
})

test('a long talk becomes a summary and its last messages', async () => {
  const { model, requests } = await serve({ say: ['They spoke of Rome.'] })
  const talk = ['one', 'two', 'three', 'four'].map(user)
  const run = await runFlow(defineCompressFlow({ name: 'short', model }), { ...TURN, keep: 1 }, { messages: talk })
  expect(run.final?.value).toEqual({ replaces: 3, summary: 'They spoke of Rome.' })
  expect(JSON.stringify(requests[0]?.messages)).toContain('## user\\n\\nthree')
  expect(JSON.stringify(requests[0]?.messages)).not.toContain('four')
  expect((await runFlow(defineCompressFlow({ name: 'short', model }), { ...TURN, keep: 3 }, { messages: talk })).final?.value).toEqual({ replaces: 0 })
})
