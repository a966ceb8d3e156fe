/// <reference types="node" />
// Goal: each event is given once and in order over cuts, refusals and repeats, and the state told is true. Method: a real HTTP server on a free port, scripted a connection at a time.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { openStream, type StreamState } from './stream.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

const event = (id: string) => `id: ${id}\nevent: debug\ndata: {}\n\n`

async function setup(answers: Answer[], after?: string, silence: { readonly delayedAfterMs?: number; readonly deadAfterMs?: number } = {}) {
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(request.headers['last-event-id'] as string | undefined)
    const answer = answers.shift()
    if (answer) answer(request, response)
    else response.writeHead(204).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const ids: (string | null)[] = []
  const states: StreamState[] = []
  const over = Promise.withResolvers<StreamState>()
  const close = openStream({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    ...(after !== undefined && { after }),
    random: () => 0,
    onFrame: (frame) => ids.push(frame.id ?? frame.event),
    onState: (state) => {
      states.push(state)
      if (state.phase === 'ended' || state.phase === 'failed') over.resolve(state)
    },
    ...silence,
  })
  cleanups.push(
    close,
    () => server.close(),
    () => server.closeAllConnections(),
  )
  return { ids, states, asked, over: over.promise, phases: () => states.map((state) => state.phase) }
}

const stream =
  (text: string, end = true): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`retry: 100\n\n${text}`)
    if (end) response.end()
  }

test('goes on after a cut where it stopped and drops what it was given twice', async () => {
  const { ids, asked, over, phases } = await setup([
    stream(event('5-1') + event('5-2')),
    stream(event('5-2') + event('5-3') + event('6-1')),
    stream('event: end\ndata: {}\n\n'),
  ])
  await over
  expect(ids).toEqual(['5-1', '5-2', '5-3', '6-1', 'end'])
  expect(asked).toEqual([undefined, '5-2', '6-1'])
  expect(phases()).toEqual(['live', 'reconnecting', 'live', 'reconnecting', 'live', 'ended'])
})

test('starts after the position that the caller has, and takes 204 for the end', async () => {
  const { ids, asked, over } = await setup([], '9-4')
  expect((await over).phase).toBe('ended')
  expect(asked).toEqual(['9-4'])
  expect(ids).toEqual([])
})

test('tries again after 503 and gives up after 404, with the problem', async () => {
  const refuse =
    (status: number): Answer =>
    (_request, response) => {
      response
        .writeHead(status, { 'content-type': 'application/problem+json' })
        .end(JSON.stringify({ title: 'No', detail: 'No such run.', code: 'unknown_run' }))
    }
  const { over, phases } = await setup([refuse(503), refuse(404)])
  const last = await over
  expect(phases()).toEqual(['reconnecting', 'failed'])
  expect(last.problem?.code).toBe('unknown_run')
})

test('says that it is delayed when nothing is heard, and opens a dead connection again', async () => {
  // Long enough for a slow machine to connect in; the first answer is silent for ever.
  const silence = { delayedAfterMs: 300, deadAfterMs: 1200 }
  const { over, phases, asked } = await setup([stream(event('5-1'), false), stream('event: end\ndata: {}\n\n')], undefined, silence)
  await over
  expect(phases()).toEqual(['live', 'delayed', 'reconnecting', 'live', 'ended'])
  expect(asked).toEqual([undefined, '5-1'])
})

test('tells the tail of a heartbeat', async () => {
  const { over, states } = await setup([stream(': 7-40\n\nevent: end\ndata: {}\n\n')])
  await over
  expect(states.at(-1)?.tail).toBe('7-40')
})

test('a reset goes back: what follows is given again', async () => {
  const reset = 'event: reset\ndata: {"after":"5-1","reason":"superseded"}\n\n'
  const { ids, over } = await setup([stream(event('5-1') + event('5-2') + reset + event('5-2') + event('6-1') + 'event: end\ndata: {}\n\n')])
  await over
  expect(ids).toEqual(['5-1', '5-2', 'reset', '5-2', '6-1', 'end'])
})
