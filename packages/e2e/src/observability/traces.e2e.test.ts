// Goal: traces go from the request to the commit, over processes, to any collector that speaks OTLP. Method: a panel and a spooler over Redis, and a server that takes what they send as JSON.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { runTrace } from '@koco/core'
import { keyPrefix } from '@koco/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createInstallation, type Installation } from '../processes/installation.ts'
import { EXAMPLE_FLOWS } from '../processes/stacks.ts'

const WAIT_MS = 60_000

type Sent = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly links?: readonly { readonly traceId: string }[]
}
type Body = { readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Sent[] }[] }[] }

const spans: Sent[] = []
let collector: Server
let installation: Installation

beforeAll(async () => {
  collector = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Body
      spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await once(collector.listen(0, '127.0.0.1'), 'listening')
  installation = await createInstallation({
    KODO_FLOWS: EXAMPLE_FLOWS,
    KODO_EVENT_TRANSPORT: 'redis',
    KODO_REDIS_URL: inject('redisUrl'),
    KODO_REDIS_STREAM_PREFIX: keyPrefix(),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
  })
  await installation.startPanel('serve')
})
afterAll(async () => {
  await installation.close()
  collector.closeAllConnections()
  collector.close()
})

async function sent(what: string, found: () => Sent | undefined): Promise<Sent> {
  for (const deadline = Date.now() + WAIT_MS; Date.now() < deadline; await delay(50)) {
    const span = found()
    if (span) return span
  }
  throw new Error(`no span of ${what} came, but ${spans.map(({ name }) => name).join(', ')}`)
}

test("a run's spans come from the spooler into the run's own trace; the request that started it lies in its caller's and links to it", async () => {
  installation.spawn(['spool', '--block'])
  const client = await installation.client()
  const headers = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }
  const fid = await client.start('folder-report', { folder: import.meta.dirname }, headers)
  const { traceId, spanId } = runTrace(fid)
  const run = await sent('the run', () => spans.find((span) => span.traceId === traceId && span.name === 'run'))
  expect(run.spanId).toBe(spanId)
  const own = spans.filter((span) => span.traceId === traceId)
  expect(own.map(({ name }) => name)).toEqual(expect.arrayContaining(['try 1', 'step find the folder', 'step list files']))
  expect(own.filter(({ name }) => name.startsWith('step ')).filter(({ parentSpanId }) => parentSpanId !== spanId)).toEqual([])
  const request = await sent('the request', () => spans.find(({ name }) => name === 'POST /api/runs'))
  expect(request).toMatchObject({ traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16), links: [expect.objectContaining({ traceId })] })
  await sent('the commit', () => spans.find(({ name, links }) => name === 'commit' && links?.some((link) => link.traceId === traceId)))
  const [attempt] = (await client.json<{ items: { data: Record<string, unknown> }[] }>('GET', `/api/runs/${fid}/events?kind=attempt`)).items
  expect(attempt?.data).toMatchObject({ traceparent: `00-${traceId}-${spanId}-01` })
})
