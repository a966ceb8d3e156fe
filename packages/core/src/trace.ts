/** Of W3C Trace Context: the ids under which a run's spans are found. */
export type RunTrace = { readonly traceId: string; readonly spanId: string }

/**
 * The trace of a run and its first span, both made of its id: whoever knows the run finds its trace, and every process writes into the same one without being told. The zeros come first because samplers
 * look at the last digits.
 */
export function runTrace(fid: string): RunTrace {
  return { traceId: `00000000${fid}`, spanId: fid.slice(0, 16) }
}

/** The run's `traceparent` header, version 00, sampled (https://www.w3.org/TR/trace-context/). */
export function runTraceparent(fid: string): string {
  const { traceId, spanId } = runTrace(fid)
  return `00-${traceId}-${spanId}-01`
}

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/

/** Reads a `traceparent` header; undefined for one that is none. */
export function parseTraceparent(text: string): RunTrace | undefined {
  const [, traceId, spanId] = TRACEPARENT.exec(text) ?? []
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId }
}
