// Goal: the agent calls its tools, journals each call, shows its text live, and says what to set when no model is named. Method: a real local HTTP server speaks the streaming chat protocol and answers as scripted.
import { OpenAiServer, runFlow, type Scripted } from 'koco/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { researchAgent } from './flow.ts'

let server: OpenAiServer | undefined
beforeEach(() => {
  for (const name of ['KODO_LLM_URL', 'KODO_LLM_MODEL', 'KODO_LLM_KEY']) vi.stubEnv(name, undefined)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await server?.close()
})

async function serve(script: (address: string) => readonly Scripted[]): Promise<{ readonly server: OpenAiServer; readonly host: string }> {
  const serving = new OpenAiServer(script)
  server = serving
  const host = await serving.listen()
  vi.stubEnv('KODO_LLM_URL', `http://${host}/v1`)
  vi.stubEnv('KODO_LLM_MODEL', 'tiny')
  vi.stubEnv('KODO_LLM_KEY', 'secret')
  return { server: serving, host }
}

test('without a model it says what to set', async () => {
  const run = await runFlow(researchAgent, { question: 'Who?' })
  expect(run).toMatchObject({ status: 'error' })
  expect(run.error?.message).toContain('set KODO_LLM_URL (for example https://api.example.com/v1) and KODO_LLM_MODEL, and KODO_LLM_KEY if')
  vi.stubEnv('KODO_LLM_URL', 'http://localhost:1/v1')
  expect((await runFlow(researchAgent, { question: 'Who?' })).error?.message).toContain('set KODO_LLM_MODEL,')
})

test('it reads pages, keeps notes and answers; each call is a step with its usage', async () => {
  const { server: model, host } = await serve((address) => [
    {
      call: [
        { id: 'c1', name: 'read_page', input: { url: `http://${address}/page/cats` } },
        { id: 'c2', name: 'read_page', input: { url: 'http://evil.example/' } },
      ],
    },
    { call: [{ id: 'c3', name: 'take_note', input: { note: 'Big cats', source: 'cats' } }] },
    { say: ['# Cats', '\n\nTigers ', 'and lions.'] },
  ])
  const run = await runFlow(researchAgent, { question: 'What are cats?', hosts: [host] })
  expect(run.error).toBeNull()
  expect(run.final).toEqual({ type: 'markdown', value: '# Cats\n\nTigers and lions.' })
  expect(run.deltas.map(({ text }) => text).join('')).toBe('# Cats\n\nTigers and lions.')
  expect(model.keys).toEqual(['Bearer secret', 'Bearer secret', 'Bearer secret'])
  expect(model.requests.every(({ stream, model: name }) => stream && name === 'tiny')).toBe(true)
  const results = model.requests[1]?.messages.filter(({ role }) => role === 'tool').map(({ content }) => content)
  expect(results).toEqual(['/page/cats Tigers & lions', `Error: evil.example is not allowed; allowed hosts: ${host}`])
  const steps = run.events.flatMap((event) => (event.kind === 'step' && event.data.phase === 'finished' ? [event.data.id] : []))
  expect(steps.toSorted()).toEqual(['ask the model', 'ask the model#2', 'ask the model#3', 'tool read_page[1.0]', 'tool read_page[1.1]', 'tool take_note[2.0]'])
  const usage = run.events.flatMap((event) => (event.kind === 'model' ? [event.data.tokens] : []))
  expect(usage).toEqual(Array.from({ length: 3 }, () => ({ input_uncached: 60, cache_read: 40, cache_write: 0, output: 20, reasoning: 10 })))
  expect(run.events.find(({ kind }) => kind === 'result')?.data).toEqual({ type: 'markdown', value: 'Big cats\n\n*cats*' })
})

test('a failing server is asked again, other errors of tools go to the model', async () => {
  const { server: model } = await serve(() => [{ status: 503 }, { call: [{ id: 'c1', name: 'no_such_tool', input: {} }] }, { say: ['Done.'] }])
  const run = await runFlow(researchAgent, { question: 'What?', turns_max: 3 })
  expect(run.final?.value).toBe('Done.')
  expect(model.requests).toHaveLength(3)
})

test('the last turn may use no tools', async () => {
  const { server: model } = await serve(() => [{ say: ['Short.'] }])
  expect((await runFlow(researchAgent, { question: 'What?', turns_max: 1 })).final?.value).toBe('Short.')
  expect(model.requests[0]?.tool_choice).toBe('none')
})
