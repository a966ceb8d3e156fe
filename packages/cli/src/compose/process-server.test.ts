// Goal: a process without a panel tells of itself over HTTP, truly also while something is away. Method: a server on a free port over facts that change.
import { RefusedError, UnavailableError } from '@koco/core'
import { createMemoryTransport } from '@koco/transport'
import { afterEach, expect, test } from 'vitest'
import { backlogMetrics, measuredTransport, processRegistry } from './metrics.ts'
import { serveProcess, type ProcessFacts } from './process-server.ts'

const opened: { close(): void }[] = []
afterEach(() => {
  for (const server of opened.splice(0)) server.close()
})

async function serve(facts: Partial<ProcessFacts> = {}): Promise<string> {
  const server = await serveProcess('127.0.0.1:0', { registry: processRegistry(), ready: async () => undefined, log: { info: () => undefined }, ...facts })
  opened.push(server)
  return server.url ?? ''
}

test('it is alive, and ready while its work can be done; of a fault only the code is told', async () => {
  let away = false
  const url = await serve({
    ready: async () => {
      if (away) throw new UnavailableError('postgres at 10.0.0.1 is away', { code: 'store_unavailable' })
    },
  })
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  away = true
  const answer = await fetch(`${url}/readyz`)
  expect(answer.status).toBe(503)
  expect(await answer.json()).toEqual({ ready: false, because: 'store_unavailable' })
  away = false
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  expect((await fetch(`${url}/else`)).status).toBe(404)
})

test('figures of others are added, and missed without harm', async () => {
  const url = await serve({ more: async () => 'others_total 1\n' })
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/process_cpu[\s\S]*others_total 1/)
  const without = await serve({
    more: async () => {
      throw new Error('away')
    },
  })
  expect((await fetch(`${without}/metrics`)).status).toBe(200)
})

test('port 0 is one that is free, and the log says which', async () => {
  const said: unknown[] = []
  const [first, second] = [await serve(), await serve({ log: { info: (...line: unknown[]) => void said.push(...line) } })]
  expect(second).not.toBe(first)
  expect(said).toEqual([{ address: second }, `metrics, health and readiness at ${second}`])
  expect((await fetch(`${second}/healthz`)).status).toBe(200)
})

test('a taken port is refused with the remedy', async () => {
  const url = await serve()
  const again = serveProcess(new URL(url).host, { registry: processRegistry(), ready: async () => undefined, log: { info: () => undefined } })
  await expect(again).rejects.toThrow(RefusedError)
  await expect(again).rejects.toThrow('--metrics')
})

test('appends are counted by their answers, and the backlog is that of now', async () => {
  const registry = processRegistry()
  const transport = measuredTransport(createMemoryTransport(), registry, { info: () => undefined, warn: () => undefined })
  try {
    backlogMetrics(registry, transport.consumer('status'))
    const fid = '67c1a2f4aabbccddeeff0011'
    await transport.streams.create(fid, { epoch: 0, seq: 0 })
    const record = { ts: 1, kind: 'attempt', step: '', data: '{"attempt":1}' }
    const appended = transport.streams.append(fid, 2, 1, [record])
    expect(await registry.metrics()).toContain('koco_backlog_events{consumer=""} 1')
    const consumer = transport.consumer('one')
    const [held = ''] = await consumer.acquire(1, 1000)
    await consumer.read([held], 10)
    await consumer.ack([{ fid, upTo: { epoch: 2, seq: 1 } }])
    await appended
    expect(await transport.streams.append(fid, 1, 1, [record])).toMatchObject({ answer: 'fenced' })
    const text = await registry.metrics()
    expect(text).toContain('koco_append_seconds_count{answer="ok"} 1')
    expect(text).toContain('koco_append_seconds_count{answer="fenced"} 1')
    expect(text).toContain('koco_append_events_total 1')
    expect(text).not.toContain('koco_backlog_events{consumer=""} 1')
  } finally {
    await transport.close()
  }
})
