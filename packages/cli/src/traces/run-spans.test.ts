// Goal: a run's spans are made of its timeline alone, the same from each delivery. Method: records of every kind that closes a span.
import { runTrace, type EventRecord } from '@koco/core'
import { recordedRun } from '@koco/testing'
import { expect, test } from 'vitest'
import { runSpans } from './run-spans.ts'

const FID = '67c1a2f4aabbccddeeff0011'
const record = (seq: number, kind: string, data: unknown, step: string | null = null): EventRecord => ({
  epoch: 5,
  seq,
  ts: 100 + seq,
  kind,
  step,
  data: JSON.stringify(data),
})
const tokens = { input_uncached: 3, cache_read: 2, cache_write: 1, output: 4, reasoning: 5 }

test('a step, the model call in it and the run lie one in the other', () => {
  const spans = runSpans(FID, [
    record(1, 'step', { phase: 'started', id: 'ask', name: 'ask', try: 1 }, 'ask'),
    record(2, 'model', { provider: 'p', model: 'm', duration_s: 0.5, tokens, cost: null }, 'ask'),
    record(3, 'step', { phase: 'finished', id: 'ask', name: 'ask', try: 1, duration_s: 1.5, result: 1 }, 'ask'),
    record(4, 'status', { status: 'finished' }),
  ])
  const [model, step, run] = spans
  expect(spans.map(({ name }) => name)).toEqual(['chat m', 'step ask', 'run'])
  expect(model?.parent).toBe(step?.trace.spanId)
  expect(step?.parent).toBe(run?.trace.spanId)
  expect(run).toMatchObject({ trace: runTrace(FID), parent: undefined, startS: 0x67c1a2f4, error: undefined })
  expect(step).toMatchObject({ startS: 101.5, endS: 103 })
  expect(model?.attributes).toMatchObject({ 'gen_ai.usage.input_tokens': 6, 'gen_ai.usage.output_tokens': 9, 'gen_ai.request.model': 'm' })
})

test('tries of a step are told apart, and a failed run is an error', () => {
  const error = { name: 'Error', message: 'no' }
  const spans = runSpans(FID, [
    record(1, 'step', { phase: 'failed', id: 'ask', name: 'ask', try: 1, duration_s: 1, error, retry_at: 3 }, 'ask'),
    record(2, 'step', { phase: 'failed', id: 'ask', name: 'ask', try: 2, duration_s: 1, error, retry_at: null }, 'ask'),
    record(3, 'status', { status: 'error' }),
  ])
  expect(new Set(spans.map(({ trace }) => trace.spanId)).size).toBe(3)
  expect(spans.map((span) => span.error)).toEqual(['no', 'no', 'error'])
})

test('every recorded run gives spans of one trace, once each, and the same ones when it is delivered again', () => {
  for (let seed = 1; seed < 40; seed += 1) {
    const { run, timeline } = recordedRun(seed, 60)
    const spans = runSpans(run.fid, timeline)
    expect(new Set(spans.map(({ trace }) => trace.traceId)).size).toBeLessThanOrEqual(1)
    expect(runSpans(run.fid, timeline)).toEqual(spans)
    expect(spans.every(({ trace }) => /^[0-9a-f]{16}$/.test(trace.spanId))).toBe(true)
  }
})
