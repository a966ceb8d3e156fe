import fc from 'fast-check'
import { comparePositions, formatPosition, ORIGIN, type Position } from '@koco/core'
import { within } from '@koco/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { judgeAppend } from '../append-rule.ts'
import type { AppendAnswer } from '../port.ts'
import { anyFid, attempt, CommittingConsumer, line, type OpenTransport, type TransportUnderTest } from './harness.ts'

type Command =
  | { readonly does: 'append'; readonly epoch: number; readonly first: number; readonly count: number }
  | { readonly does: 'create'; readonly floor: Position }
  | { readonly does: 'wipe' }

/** What is stored is there at once; a store that never gets it must not take the time in which its history is shrunk. */
const POLL_MS = 10_000
const TEST_MS = 60_000

const seq = fc.integer({ min: 1, max: 8 })
const epoch = fc.constantFrom(1000, 2000, 3000)
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ does: fc.constant('append' as const), epoch, first: seq, count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('create' as const), floor: fc.record({ epoch, seq }) }) },
  { weight: 1, arbitrary: fc.constant({ does: 'wipe' as const }) },
)

/** What the model says of a stream: its top, and the records of it by position. */
class Model {
  top: Position | undefined = ORIGIN
  readonly records = new Map<string, string>()

  /** The answer to an append and the top after it; undefined for the others. */
  apply(command: Command): { readonly answer: AppendAnswer['answer']; readonly top: Position | undefined } | undefined {
    if (command.does === 'append') return { answer: this.#append(command.epoch, command.first, command.count), top: this.top }
    if (command.does === 'wipe') this.top = undefined
    else if (!this.top || comparePositions(this.top, command.floor) < 0) this.top = command.floor
    return undefined
  }

  #append(epoch: number, first: number, count: number): AppendAnswer['answer'] {
    if (!this.top) return 'nostream'
    const verdict = judgeAppend(this.top, epoch, first, count)
    if (verdict.answer !== 'ok') return verdict.answer
    for (let i = verdict.skip; i < count; i++) this.#store(`${epoch}-${first + i}`, first + i === 1 ? `prev ${formatPosition(this.top)}` : 'line')
    this.top = { epoch, seq: first + count - 1 }
    return 'ok'
  }

  /** After a loss without a floor a position may come again: what is stored stays. */
  #store(position: string, content: string): void {
    if (!this.records.has(position)) this.records.set(position, content)
  }
}

/** Random appends, floors and losses: the adapter answers what the pure rule says, and holds what the model holds. */
export function appendModel(open: OpenTransport, runs: number): void {
  let at: TransportUnderTest
  let store: CommittingConsumer

  beforeEach(async () => {
    at = await open()
    store = new CommittingConsumer(at.transport.consumer('spooler-0'))
  })

  afterEach(async () => {
    await store.stop()
    await at.close()
  })

  test('append answers as the rule says, whatever came before', { timeout: TEST_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (commands) => {
        const fid = anyFid()
        const model = new Model()
        await at.transport.streams.create(fid, ORIGIN)
        for (const one of commands) await step(fid, model, one)
        expect(await at.transport.streams.top(fid)).toEqual(model.top)
        const seen = () => Object.fromEntries(store.records(fid).map((record) => [formatPosition(record), brief(record.data)]))
        await expect.poll(seen, { interval: 1, timeout: POLL_MS }).toEqual(Object.fromEntries(model.records))
      }),
      { numRuns: runs, ...within(TEST_MS) },
    )
  })

  async function step(fid: string, model: Model, one: Command): Promise<void> {
    if (one.does === 'wipe') await wipe(fid, model)
    if (one.does === 'create') await at.transport.streams.create(fid, one.floor)
    const answer = one.does === 'append' ? await append(fid, one.epoch, one.first, one.count) : undefined
    expect(answer).toEqual(model.apply(one))
  }

  /** Only what is stored already is lost, so that the model need not know what the store has. */
  async function wipe(fid: string, model: Model): Promise<void> {
    await expect.poll(() => store.records(fid).length, { interval: 1, timeout: POLL_MS }).toBe(model.records.size)
    await at.wipe(fid)
  }

  async function append(fid: string, epoch: number, first: number, count: number) {
    const records = Array.from({ length: count }, (_, i) => (first + i === 1 ? attempt() : line('line')))
    const answer = await at.transport.streams.append(fid, epoch, first, records)
    return { answer: answer.answer, top: 'top' in answer ? answer.top : undefined }
  }
}

function brief(data: string): string {
  const prev = /"prev":"(\d+-\d+)"\}$/.exec(data)?.[1]
  return prev ? `prev ${prev}` : 'line'
}
