// Goal: where the result of a step lies changes nothing for its flow, and nothing is lost when the place for large ones is away. Method: tries on a scripted run, over contents in memory that the test can take away.
import { UnavailableError, type RunEvent } from '@koco/core'
import { expect, test } from 'vitest'
import type { Contents } from '../contents/port.ts'
import { createMemoryContents } from '../testing/memory-contents.ts'
import { ScriptedRun, scriptedFlow } from '../testing/scripted-run.ts'

const INLINE = 64 * 1024
/** A text whose JSON has so many bytes. */
const text = (bytes: number): string => 'x'.repeat(bytes - 2)
const finished = (events: readonly RunEvent[]) => events.flatMap((event) => (event.kind === 'step' && event.data.phase === 'finished' ? [event.data] : []))
const away = new UnavailableError('The place is away.', { code: 'blobs_unavailable' })

/** Answers the question of a run. */
function goOn(run: ScriptedRun): void {
  for (const event of run.events) if (event.kind === 'lock') run.answer(event.data.lid, {})
}

function flowOf(bytes: number, done: string[] = []) {
  return scriptedFlow(async (ctx) => {
    const result = await ctx.step('make', () => {
      done.push('make')
      return text(bytes)
    })
    await ctx.sleep('1h')
    return result.length
  })
}

test('64 KiB is the border, in bytes of JSON', async () => {
  for (const [bytes, isKept] of [
    [INLINE, false],
    [INLINE + 1, true],
  ] as const) {
    const run = new ScriptedRun(flowOf(bytes))
    await run.attempt('start', { contents: createMemoryContents() })
    expect(finished(run.events)[0]).toMatchObject(isKept ? { result: null, content: { bytes } } : { result: text(bytes) })
    expect('content' in (finished(run.events)[0] ?? {})).toBe(isKept)
  }
})

test('content is durable before anything names it, and held until its event is acknowledged', async () => {
  const order: string[] = []
  const memory = createMemoryContents()
  const contents: Contents = {
    ...memory,
    async keep(value) {
      const kept = await memory.keep(value)
      order.push('kept')
      return kept && { content: kept.content, named: () => order.push('named') }
    },
  }
  const run = new ScriptedRun(flowOf(INLINE + 1))
  run.wrap = (real) => ({
    epoch: real.epoch,
    prev: real.prev,
    stopped: real.stopped,
    emit(event) {
      if ('content' in event.data) order.push('emitted')
      return real.emit(event)
    },
    async flush() {
      await real.flush()
      if (order.at(-1) === 'emitted') order.push('acknowledged')
    },
    close: (withinMs) => real.close(withinMs),
  })
  await run.attempt('start', { contents })
  expect(order).toEqual(['kept', 'emitted', 'acknowledged', 'named'])
})

test('a later try reads it where it lies; the step is not done again', async () => {
  const [contents, done] = [createMemoryContents(), [] as string[]]
  const flow = scriptedFlow(async (ctx) => {
    const result = await ctx.step('make', () => {
      done.push('make')
      return text(INLINE * 3)
    })
    await ctx.lock('go on', { timeout: null })
    return result.length
  })
  const run = new ScriptedRun(flow)
  expect(await run.attempt('start', { contents })).toMatchObject({ outcome: 'suspended' })
  goOn(run)
  expect(await run.attempt('wake', { contents })).toMatchObject({ outcome: 'finished', final: { value: INLINE * 3 - 2 } })
  expect(done).toEqual(['make'])
})

test('a result that is lost fails the run with what is missing; it is not taken for null', async () => {
  const run = new ScriptedRun(flowOf(INLINE * 2))
  await run.attempt('start', { contents: createMemoryContents() })
  expect(await run.attempt('wake', { contents: createMemoryContents() })).toMatchObject({ outcome: 'failed', error: { code: 'unknown_blob' } })
  const other = new ScriptedRun(flowOf(INLINE * 2))
  await other.attempt('start', { contents: createMemoryContents() })
  expect(await other.attempt('wake')).toMatchObject({ outcome: 'failed', error: { code: 'no_contents' } })
})

test('while the place is away a result that its event can hold goes there, and a larger one is waited for', async () => {
  const gone: Contents = { ...createMemoryContents(), keep: () => Promise.reject(away) }
  const small = new ScriptedRun(flowOf(INLINE * 2))
  await small.attempt('start', { contents: gone })
  expect(finished(small.events)[0]).toMatchObject({ result: text(INLINE * 2) })

  const memory = createMemoryContents()
  let tries = 0
  const back: Contents = { ...memory, keep: (value) => (++tries < 3 ? Promise.reject(away) : memory.keep(value)) }
  const large = new ScriptedRun(flowOf(INLINE * 5))
  await large.attempt('start', { contents: back })
  expect(finished(large.events)[0]).toMatchObject({ result: null, content: { bytes: INLINE * 5 } })

  const never = new ScriptedRun(flowOf(INLINE * 5), { storedMs: 1 })
  await expect(never.attempt('start', { contents: gone })).rejects.toMatchObject({ code: 'blobs_unavailable' })
  expect(finished(never.events)).toEqual([])
})

test('a place that is away when a result is read ends the try, and the next has it', async () => {
  const contents = createMemoryContents()
  const run = new ScriptedRun(
    scriptedFlow(async (ctx) => {
      const made = await ctx.step('make', () => text(INLINE * 2)).catch(() => 'caught')
      await ctx.lock('go on', { timeout: null })
      return made.length
    }),
  )
  expect(await run.attempt('start', { contents })).toMatchObject({ outcome: 'suspended' })
  goOn(run)
  await expect(run.attempt('wake', { contents: { ...contents, read: () => Promise.reject(away) } })).rejects.toBe(away)
  const last = await run.attempt('recover', { contents })
  expect(last.outcome === 'finished' ? last.final.value : last.outcome).toBe(INLINE * 2 - 2)
})

test('what is too large is refused with the limit and what to do', async () => {
  const fails = async (bytes: number, contents: Contents | undefined) => {
    const outcome = await new ScriptedRun(flowOf(bytes)).attempt('start', { contents })
    return outcome.outcome === 'failed' ? outcome.error.message : outcome.outcome
  }
  expect(await fails(INLINE * 5, undefined)).toMatch(/the limit is 262144.*KODO_BLOB_STORE/)
  expect(await fails(INLINE * 5, { ...createMemoryContents(), keep: async () => undefined })).toMatch(/the limit is 262144.*KODO_BLOB_STORE/)
  expect(await fails(16 * 1024 * 1024 + 1, createMemoryContents())).toMatch(/the limit is 16777216.*ctx\.files/)
})
