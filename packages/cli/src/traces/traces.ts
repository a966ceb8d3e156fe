import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Link, type SpanContext, type Tracer } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, RandomIdGenerator, TracerProvider } from '@opentelemetry/sdk-trace'
import { parseTraceparent, runTrace, type RunTrace } from '@koco/core'
import type { AnsweredRequest } from '@koco/panel'
import type { RunRecords } from '@koco/storage'
import { runSpans, type FinishedSpan } from './run-spans.ts'

/** What a process tells of for traces. Each call returns at once; what cannot be sent is dropped. */
export type Traces = {
  committed(runs: readonly RunRecords[], writeMs: number): void
  answered(request: AnsweredRequest): void
  close(): Promise<void>
}

/** A batch may hold more runs than a span should link to. */
const LINKS_MAX = 32
const RUN_ADDRESS = /^\/api\/runs\/([0-9a-f]{24})$/

/** Sends traces by OTLP over HTTP to where the standard variables (OTEL_EXPORTER_OTLP_ENDPOINT and its kin) say. */
export function createTraces(service: string, version: string): Traces {
  const ids = new GivenIds()
  const provider = new TracerProvider({
    idGenerator: ids,
    resource: resourceFromAttributes({ 'service.name': process.env['OTEL_SERVICE_NAME'] ?? service, 'service.version': version }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  })
  const tracer = provider.getTracer('koco', version)
  return {
    committed(runs, writeMs) {
      for (const { fid, records } of runs) for (const span of runSpans(fid, records)) write(tracer, ids, span)
      writeCommit(tracer, runs, writeMs)
    },
    answered: (request) => writeRequest(tracer, request),
    close: () => provider.shutdown(),
  }
}

/** Gives the ids that are laid down for the next span, else random ones. */
class GivenIds extends RandomIdGenerator {
  #next: RunTrace | undefined

  /** Makes a span under these ids; `make` must start exactly one. */
  use(next: RunTrace, make: () => void): void {
    this.#next = next
    make()
    this.#next = undefined
  }

  override generateTraceId = (): string => this.#next?.traceId ?? random.generateTraceId()
  override generateSpanId = (): string => this.#next?.spanId ?? random.generateSpanId()
}

const random = new RandomIdGenerator()

function write(tracer: Tracer, ids: GivenIds, { trace: own, parent, name, startS, endS, attributes, error }: FinishedSpan): void {
  const above = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote({ traceId: own.traceId, spanId: parent }))
  ids.use(own, () => {
    const span = tracer.startSpan(name, { startTime: startS * 1000, attributes }, above)
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error })
    span.end(endS * 1000)
  })
}

function writeCommit(tracer: Tracer, runs: readonly RunRecords[], writeMs: number): void {
  const links: Link[] = runs.slice(0, LINKS_MAX).map(({ fid }) => ({ context: remote(runTrace(fid)) }))
  const events = runs.reduce((sum, { records }) => sum + records.length, 0)
  const now = Date.now()
  tracer
    .startSpan(
      'commit',
      { kind: SpanKind.CONSUMER, startTime: now - writeMs, links, attributes: { 'koco.events': events, 'koco.runs': runs.length } },
      ROOT_CONTEXT,
    )
    .end(now)
}

/** A request lies in its caller's trace; the run that it started has its own, to which it links. */
function writeRequest(tracer: Tracer, { id, method, route, status, seconds, traceparent, location }: AnsweredRequest): void {
  const caller = traceparent === undefined ? undefined : parseTraceparent(traceparent)
  const [, fid] = RUN_ADDRESS.exec(location ?? '') ?? []
  const now = Date.now()
  const span = tracer.startSpan(
    `${method} ${route}`,
    {
      kind: SpanKind.SERVER,
      startTime: now - seconds * 1000,
      links: fid === undefined ? [] : [{ context: remote(runTrace(fid)) }],
      attributes: {
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': status,
        'koco.request': id,
        ...(fid !== undefined && { 'koco.fid': fid }),
      },
    },
    caller === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote(caller)),
  )
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end(now)
}

function remote({ traceId, spanId }: RunTrace): SpanContext {
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true }
}
