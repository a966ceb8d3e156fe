// Goal: what runs and models come to by day is right, whatever is delivered twice, late or fenced. Method: runs of flows of their own; the sums against a count by hand.
import type { EventData, EventRecord, Position } from '@koco/core'
import { expect, test } from 'vitest'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { ModelUsage } from '../port/insights.ts'
import { bucketOf, dayOf, IMPORTED } from '../tally.ts'
import { attempt, meta, opening, record, someFid, someRun, START, status } from './scenario.ts'

const E1 = START * 1000
const TODAY = dayOf(START)
const days = { fromDay: TODAY, toDay: TODAY + 1 }

function call(seq: number, change: Partial<EventData['model']> = {}, epoch = E1): EventRecord {
  const tokens = { input_uncached: 100, cache_read: 20, cache_write: 3, output: 40, reasoning: 5 }
  return record(epoch, seq, 'model', { provider: 'acme', model: 'large', duration_s: 2, tokens, cost: 0.5, ...change })
}

function openingOf(flow: string, user = 'ada', epoch = E1): EventRecord[] {
  return opening(epoch).map((each) => (each.kind === 'meta' ? meta(epoch, 4, { flow, user }) : each))
}

/** The rules of InsightStore. */
export function describeInsights(store: () => ExecutionStore): void {
  const write = async (fid: string, records: readonly EventRecord[]): Promise<void> => void (await store().writer.write([{ fid, records }]))
  const outcomes = async (flow: string, user?: string): Promise<Record<string, number>> => {
    const rows = await store().insights.runs({ ...days, flow, ...(user !== undefined && { user }) }, 'flow')
    const sums: Record<string, number> = {}
    for (const { outcome, runs } of rows) sums[outcome] = (sums[outcome] ?? 0) + runs
    return sums
  }
  const models = async (flow: string, by: Parameters<ExecutionStore['insights']['models']>[1] = 'model'): Promise<readonly ModelUsage[]> =>
    (await store().insights.models({ ...days, flow }, by)).toSorted((a, b) => (a.key < b.key ? -1 : 1))

  test('starts, ends and durations are counted on their day', async () => {
    const flow = 'counted'
    for (const end of ['finished', 'finished', 'error', 'cancelled'] as const) await write(someFid(), [...openingOf(flow), status(E1, 6, end)])
    await write(someFid(), openingOf(flow))
    expect(await outcomes(flow)).toEqual({ started: 5, finished: 2, error: 1, cancelled: 1 })
    const [day] = (await store().insights.runs({ ...days, flow }, 'day')).filter(({ outcome }) => outcome === 'finished')
    expect(day).toEqual({ key: String(TODAY), outcome: 'finished', bucket: bucketOf(1 / 8), runs: 2 })
    expect(await store().insights.runs({ fromDay: TODAY + 1, toDay: TODAY + 9, flow }, 'day')).toEqual([])
  })

  test('tokens and costs are summed by model, user and day; a call without a known cost has none', async () => {
    const flow = 'spending'
    await write(someFid(), [...openingOf(flow), call(6), call(7), call(8, { model: 'small', cost: null })])
    await write(someFid(), [...openingOf(flow, 'bob'), call(6, { cost: 0.25 })])
    expect(await models(flow)).toEqual([
      {
        key: 'large',
        provider: 'acme',
        calls: 3,
        priced: 3,
        cost: 1.25,
        durationS: 6,
        input_uncached: 300,
        cache_read: 60,
        cache_write: 9,
        output: 120,
        reasoning: 15,
      },
      {
        key: 'small',
        provider: 'acme',
        calls: 1,
        priced: 0,
        cost: 0,
        durationS: 2,
        input_uncached: 100,
        cache_read: 20,
        cache_write: 3,
        output: 40,
        reasoning: 5,
      },
    ])
    expect((await models(flow, 'user')).map(({ key, provider, calls, cost }) => [key, provider, calls, cost])).toEqual([
      ['ada', null, 3, 1],
      ['bob', null, 1, 0.25],
    ])
    expect((await models(flow, 'day')).map(({ key, calls }) => [key, calls])).toEqual([[String(TODAY), 4]])
    expect(await outcomes(flow, 'bob')).toEqual({ started: 1 })
  })

  test('what is delivered again, in part or out of order, counts once', async () => {
    const flow = 'redelivered'
    const fid = someFid()
    const all = [...openingOf(flow), call(6), call(7), status(E1, 8, 'finished')]
    await write(fid, all.slice(0, 6))
    await write(fid, all.slice(7))
    expect([await outcomes(flow), (await models(flow))[0]?.calls]).toEqual([{ started: 1 }, 1])
    await Promise.all([write(fid, all), write(fid, all.slice(4)), write(fid, all)])
    await write(fid, all)
    expect([await outcomes(flow), (await models(flow))[0]?.calls]).toEqual([{ started: 1, finished: 1 }, 2])
  })

  test('what a later epoch has fenced does not count, and a retry counts each end', async () => {
    const flow = 'fenced'
    const fid = someFid()
    await write(fid, [...openingOf(flow), call(6), status(E1, 7, 'error')])
    const prev: Position = { epoch: E1, seq: 7 }
    await write(fid, [attempt(E1 + 10, prev, { attempt: 2, reason: 'retry' }), status(E1 + 10, 2, 'running'), status(E1 + 10, 3, 'finished')])
    await write(fid, [call(8), call(9)])
    expect([await outcomes(flow), (await models(flow))[0]?.calls]).toEqual([{ started: 1, error: 1, finished: 1 }, 1])
  })

  test('a run that was read from a file counts nowhere', async () => {
    const flow = 'imported'
    const fid = someFid()
    await store().runs.create(someRun(fid, { flow }, IMPORTED))
    await write(fid, [...openingOf(flow), call(6)])
    await write(fid, [call(7), status(E1, 8, 'finished')])
    expect([await outcomes(flow), await models(flow)]).toEqual([{}, []])
    expect(await store().runs.get(fid)).toMatchObject({ status: 'finished', usage: { calls: 2 } })
  })

  test('a call that says nonsense keeps no batch out', async () => {
    const flow = 'nonsense'
    const fid = someFid()
    const bad = { provider: 7, model: 'x'.repeat(9000), duration_s: 'long', tokens: { output: 1.5, input_uncached: -3 }, cost: 'free' }
    await write(fid, [...openingOf(flow), record(E1, 6, 'model', bad as never), call(7)])
    const [large, other] = await models(flow)
    expect(large).toMatchObject({ key: 'large', calls: 1 })
    expect(other).toMatchObject({ provider: '', calls: 1, priced: 0, cost: 0, output: 1, input_uncached: 0, durationS: 0 })
  })

  test('many batches at once add up', async () => {
    const flow = 'at-once'
    const runs = Array.from({ length: 40 }, () => someFid())
    await Promise.all(runs.map(async (fid) => await write(fid, [...openingOf(flow), call(6), status(E1, 7, 'finished')])))
    expect([await outcomes(flow), (await models(flow))[0]?.calls]).toEqual([{ started: 40, finished: 40 }, 40])
  })
}
