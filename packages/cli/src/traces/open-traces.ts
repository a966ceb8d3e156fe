import type { Traces } from './traces.ts'

const WHERE = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']

const NO_TRACES: Traces = { committed: () => undefined, answered: () => undefined, close: () => Promise.resolve() }

/** The traces of this process: sent when the environment names where to, as OpenTelemetry's programs do; else nothing is made and nothing loaded. */
export async function openTraces(service: string, version: string): Promise<Traces> {
  if (!WHERE.some((name) => process.env[name])) return NO_TRACES
  const { createTraces } = await import('./traces.ts')
  return createTraces(service, version)
}
