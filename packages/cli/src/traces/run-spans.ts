import { isEnded, isRunStatus, parseJson, runTrace, type EventData, type EventRecord, type RunTrace } from '@koco/core'
import { createHash } from 'node:crypto'

/** A span that is over. Times in unix seconds. `parent` is the span above it in the same trace. */
export type FinishedSpan = {
  readonly trace: RunTrace
  readonly parent: string | undefined
  readonly name: string
  readonly startS: number
  readonly endS: number
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  readonly error: string | undefined
}

/**
 * The spans that these records of a run close. They are made of the timeline alone, with ids made of what they stand for: a record that is delivered again gives the same span again, and a step that another
 * process goes on with lies in the same trace.
 */
export function runSpans(fid: string, records: readonly EventRecord[]): FinishedSpan[] {
  return records.flatMap((record) => SPANS[record.kind as keyof typeof SPANS]?.(fid, record) ?? [])
}

const SPANS = { attempt: attemptSpan, step: stepSpan, model: modelSpan, tool: toolSpan, status: rootSpan }

function attemptSpan(fid: string, record: EventRecord): FinishedSpan[] {
  const { attempt, reason, owner } = data<'attempt'>(record)
  const attributes = { 'koco.attempt': attempt, 'koco.reason': reason, 'koco.owner': owner, 'koco.epoch': record.epoch }
  return [span(fid, record, { id: position(record), name: `try ${attempt}`, seconds: 0, attributes })]
}

function stepSpan(fid: string, record: EventRecord): FinishedSpan[] {
  const step = data<'step'>(record)
  if (step.phase === 'started') return []
  const attributes = { 'koco.step': step.id, 'koco.step.try': step.try }
  const failed = step.phase === 'failed'
  const id = failed ? `${step.id}/${step.try}` : step.id
  return [span(fid, record, { id, name: `step ${step.name}`, seconds: step.duration_s, attributes, ...(failed && { error: step.error.message }) })]
}

/** Names of the attributes: OpenTelemetry's conventions for generative AI. */
function modelSpan(fid: string, record: EventRecord): FinishedSpan[] {
  const { provider, model, duration_s: seconds, tokens, cost } = data<'model'>(record)
  const attributes = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': provider,
    'gen_ai.request.model': model,
    'gen_ai.usage.input_tokens': tokens.input_uncached + tokens.cache_read + tokens.cache_write,
    'gen_ai.usage.output_tokens': tokens.output + tokens.reasoning,
    ...(cost !== null && { 'koco.cost': cost }),
  }
  return [span(fid, record, { id: position(record), name: `chat ${model}`, seconds, attributes })]
}

function toolSpan(fid: string, record: EventRecord): FinishedSpan[] {
  const { name, duration_s: seconds, error } = data<'tool'>(record)
  const attributes = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': name }
  return [span(fid, record, { id: position(record), name: `execute_tool ${name}`, seconds, attributes, ...(error && { error: error.message }) })]
}

/** The run itself, once it is over. It began when its id says. */
function rootSpan(fid: string, record: EventRecord): FinishedSpan[] {
  const { status } = data<'status'>(record)
  if (!isRunStatus(status) || !isEnded(status)) return []
  const attributes = { 'koco.fid': fid, 'koco.status': status }
  const error = status === 'finished' ? undefined : status
  return [{ trace: runTrace(fid), parent: undefined, name: 'run', startS: Number.parseInt(fid.slice(0, 8), 16), endS: record.ts, attributes, error }]
}

type About = { readonly id: string; readonly name: string; readonly seconds: number; readonly attributes: FinishedSpan['attributes']; readonly error?: string }

function span(fid: string, record: EventRecord, { id, name, seconds, attributes, error }: About): FinishedSpan {
  const { traceId, spanId } = runTrace(fid)
  const parent = record.step === null || record.kind === 'step' ? spanId : idOf(fid, record.step)
  return {
    trace: { traceId, spanId: idOf(fid, id) },
    parent,
    name,
    startS: record.ts - seconds,
    endS: record.ts,
    attributes: { 'koco.fid': fid, 'koco.position': position(record), ...attributes },
    error,
  }
}

function idOf(fid: string, what: string): string {
  return createHash('sha256').update(`${fid}/${what}`).digest('hex').slice(0, 16)
}

function position({ epoch, seq }: EventRecord): string {
  return `${epoch}-${seq}`
}

/** What is stored has been checked when it was written. */
function data<K extends keyof EventData>(record: EventRecord): EventData[K] {
  return parseJson(record.data) as EventData[K]
}
