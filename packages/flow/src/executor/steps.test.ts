// Goal: a step's result survives its try, and a flow that cannot be continued is told so. Method: tries of one run are made one after the other on a timeline in memory, the flow counting its calls.
import { expect, test } from 'vitest'
import type { FlowContext } from '../context.ts'
import { ScriptedRun, scriptedFlow } from '../testing/scripted-run.ts'
import { TestClock } from '../testing/world.ts'

/** A run whose process dies when the flow calls `die`: nothing after that reaches the timeline. */
function mortal(run: (ctx: FlowContext, die: () => Promise<never>) => unknown): { run: ScriptedRun; dead: Promise<void>; survive: () => void } {
  let alive = true
  const { promise: dead, resolve } = Promise.withResolvers<void>()
  const die = (): Promise<never> => {
    if (!alive) return Promise.resolve() as Promise<never>
    scripted.timeline.crash()
    resolve()
    return new Promise(() => undefined)
  }
  const scripted = new ScriptedRun(scriptedFlow((ctx) => run(ctx, die)))
  return { run: scripted, dead, survive: () => (alive = false) }
}

test('finished steps are not done again after a crash, unfinished ones are', async () => {
  const calls: string[] = []
  const { run, dead, survive } = mortal(async (ctx, die) => {
    const a = await ctx.step('a', () => calls.push('a'))
    await ctx.step('b', async () => {
      calls.push('b')
      await die()
    })
    return [a, await ctx.step('c', () => calls.push('c'))]
  })
  void run.attempt()
  await dead
  survive()
  expect(await run.attempt()).toEqual({ outcome: 'finished', final: { type: 'json', value: [1, 4] } })
  expect(calls).toEqual(['a', 'b', 'b', 'c'])
})

test('undefined stays undefined, dates become texts in the first try already', async () => {
  const seen: unknown[] = []
  const { run, dead, survive } = mortal(async (ctx, die) => {
    seen.push(await ctx.step('none', () => undefined), await ctx.step('date', () => new Date(0)), await ctx.step('null', () => null))
    await die()
  })
  void run.attempt()
  await dead
  survive()
  await run.attempt()
  expect(seen).toEqual([undefined, '1970-01-01T00:00:00.000Z', null, undefined, '1970-01-01T00:00:00.000Z', null])
})

test('what is emitted outside steps is not emitted twice, whatever the order; inside a repeated step it is new', async () => {
  let turn = 0
  const { run, dead, survive } = mortal(async (ctx, die) => {
    turn += 1
    for (const text of turn === 1 ? ['x', 'y', 'x'] : ['y', 'x', 'x', 'z']) ctx.result(text)
    await ctx.step('one', () => ctx.action('inside one'))
    await ctx.step('two', async () => {
      ctx.action('inside two')
      ctx.progress(1, 2)
      await new Promise((resolve) => setTimeout(resolve, 20))
      await die()
    })
  })
  void run.attempt()
  await dead
  survive()
  await run.attempt()
  const texts = run.events.flatMap((event) => (event.kind === 'result' ? [event.data.value] : event.kind === 'action' ? [event.data.name] : []))
  expect(texts).toEqual(['x', 'y', 'x', 'inside one', 'z', 'inside two'])
})

test('two steps of one name side by side are an error at once; keys and groups allow them', async () => {
  const clash = new ScriptedRun(scriptedFlow((ctx) => Promise.all([ctx.step('s', () => 1), ctx.step('s', () => 2)])))
  expect(await clash.attempt()).toMatchObject({ outcome: 'failed', error: { code: 'same_name_at_once' } })
  const fine = new ScriptedRun(
    scriptedFlow(async (ctx) => [
      await Promise.all([1, 2].map((key) => ctx.step('s', { key }, () => key))),
      await Promise.all(['g', 'h'].map((name) => ctx.group(name, () => ctx.step('s', () => name)))),
      await ctx.step('s', () => 'alone'),
      await ctx.step('s', () => 'again'),
    ]),
  )
  expect(await fine.attempt()).toMatchObject({ outcome: 'finished', final: { value: [[1, 2], ['g', 'h'], 'alone', 'again'] } })
  const ids = fine.events.flatMap((event) => (event.kind === 'step' && event.data.phase === 'finished' ? [event.data.id] : []))
  expect(ids).toEqual(['s[1]', 's[2]', 'g/s', 'h/s', 's', 's#2'])
})

test('a key used twice, a step in a step and an empty name are errors', async () => {
  const code = async (work: (ctx: FlowContext) => unknown): Promise<unknown> => {
    const outcome = await new ScriptedRun(scriptedFlow(work)).attempt()
    return outcome.outcome === 'failed' ? outcome.error.code : outcome
  }
  expect(await code(async (ctx) => [await ctx.step('s', { key: 1 }, () => 1), await ctx.step('s', { key: 1 }, () => 1)])).toBe('same_key_twice')
  expect(await code((ctx) => ctx.step('s', () => ctx.step('t', () => 1)))).toBe('inside_step')
  expect(await code((ctx) => ctx.step(' ', () => 1))).toBe('bad_name')
  expect(await code((ctx) => ctx.step('s', () => new Map()))).toBe('not_json')
  expect(await code(() => () => 1)).toBe('not_json')
  expect(await code((ctx) => ctx.step('s', () => 'x'.repeat(300_000)))).toBe('event_too_large')
})

test('an input that differs from the journal ends the run with both sides named', async () => {
  let city = 'Rome'
  const { run, dead, survive } = mortal(async (ctx, die) => {
    await ctx.step('find', { input: { city } }, () => city)
    await die()
  })
  void run.attempt()
  await dead
  survive()
  city = 'Oslo'
  const outcome = await run.attempt()
  expect(outcome).toMatchObject({ outcome: 'failed', error: { name: 'NondeterminismError', code: 'nondeterminism' } })
  expect(outcome.outcome === 'failed' && outcome.error.message).toMatch(
    /"find" was journaled with input [0-9a-f]{16} and is now asked for with input [0-9a-f]{16}/,
  )
})

test('finished steps that nobody asks for end the run with both sides named', async () => {
  let name = 'old'
  const { run, dead, survive } = mortal(async (ctx, die) => {
    await ctx.step(name, () => 1)
    await die()
  })
  void run.attempt()
  await dead
  survive()
  name = 'new'
  const outcome = await run.attempt()
  expect(outcome).toMatchObject({ outcome: 'failed', error: { name: 'NondeterminismError' } })
  expect(outcome.outcome === 'failed' && outcome.error.message).toMatch(/in this try: "old".*asked for "new"/)
})

test('a failing step is tried again with growing delays, with one idempotency key and counted tries', async () => {
  const tries: number[] = []
  const keys = new Set<string>()
  const flow = scriptedFlow((ctx) =>
    ctx.step('flaky', { retries: { max: 3, delay: 1, factor: 2 } }, (info) => {
      tries.push(info.try)
      keys.add(info.idempotencyKey)
      if (info.try < 3) throw new Error(`no ${info.try}`)
      return 'ok'
    }),
  )
  const run = new ScriptedRun(flow)
  expect(await run.attempt()).toMatchObject({ outcome: 'finished', final: { type: 'text', value: 'ok' } })
  expect([tries, keys.size]).toEqual([[1, 2, 3], 1])
  const delays = run.events.flatMap((e) => (e.kind === 'step' && e.data.phase === 'failed' ? [Math.round(((e.data.retry_at ?? 0) - e.ts) * 1000)] : []))
  expect(delays).toEqual([1, 2])
})

test('a long retry delay suspends the run, and the count goes on in the next try', async () => {
  const tries: number[] = []
  const flow = scriptedFlow((ctx) =>
    ctx.step('flaky', { retries: { max: 1, delay: '1m' } }, (info) => {
      tries.push(info.try)
      throw new Error('no')
    }),
  )
  const clock = new TestClock(1_900_000_000_000, false)
  const run = new ScriptedRun(flow, {}, clock)
  expect(await run.attempt()).toEqual({ outcome: 'suspended', status: 'awaiting', locks: [], wakeAt: 1_900_000_060 })
  clock.skipTo(1_900_000_060_000)
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'failed', error: { message: 'no' } })
  expect(tries).toEqual([1, 2])
})

test('a step that failed for good fails alike in later tries, and is done again after a retry of the run', async () => {
  let healthy = false
  let calls = 0
  const { run, dead, survive } = mortal(async (ctx, die) => {
    const caught = await ctx
      .step('frail', () => {
        calls += 1
        if (!healthy) throw Object.assign(new TypeError('broken'), { code: 'E_FRAIL' })
        return 'well'
      })
      .catch((error: Error & { code?: string }) => `${error.name} ${error.message} ${error.code}`)
    await die()
    if (caught !== 'well') throw new Error(caught)
    return caught
  })
  void run.attempt()
  await dead
  survive()
  healthy = true
  expect(await run.attempt()).toMatchObject({ outcome: 'failed', error: { message: 'TypeError broken E_FRAIL' } })
  expect(await run.attempt('retry')).toMatchObject({ outcome: 'finished', final: { value: 'well' } })
  expect(calls).toBe(2)
})

test('a step over its timeout has its signal aborted and fails', async () => {
  let reason: unknown
  const flow = scriptedFlow((ctx) =>
    ctx.step('slow', { timeout: 10 }, ({ signal }) => {
      signal.addEventListener('abort', () => (reason = signal.reason))
      return new Promise(() => undefined)
    }),
  )
  expect(await new ScriptedRun(flow).attempt()).toMatchObject({ outcome: 'failed', error: { name: 'StepTimeoutError', code: 'step_timeout' } })
  expect(reason).toMatchObject({ code: 'step_timeout' })
})

test('steps at work are bounded, the rest wait in order', async () => {
  let most = 0
  let now = 0
  const flow = scriptedFlow((ctx) =>
    Promise.all(
      Array.from({ length: 40 }, (_, key) =>
        ctx.step('s', { key }, async () => {
          most = Math.max(most, (now += 1))
          await new Promise((resolve) => setImmediate(resolve))
          now -= 1
        }),
      ),
    ).then((done) => done.length),
  )
  expect(await new ScriptedRun(flow, { stepsAtOnce: 4 }).attempt()).toMatchObject({ outcome: 'finished', final: { value: 40 } })
  expect(most).toBe(4)
})

test('a step that nobody awaits is waited for; one that hangs is cut off with a warning', async () => {
  let done = false
  const kind = new ScriptedRun(
    scriptedFlow((ctx) => {
      void ctx.step('late', async () => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        done = true
      })
    }),
  )
  expect(await kind.attempt()).toMatchObject({ outcome: 'finished' })
  expect(done).toBe(true)
  const hanging = new ScriptedRun(
    scriptedFlow((ctx) => void ctx.step('hangs', () => new Promise(() => undefined))),
    { graceMs: 20 },
  )
  expect(await hanging.attempt()).toMatchObject({ outcome: 'finished' })
  expect(hanging.events.find(({ kind }) => kind === 'warning')?.data).toMatchObject({ value: expect.stringContaining('"hangs"') })
})

test('a failing step that nobody awaits is in the timeline, and does not end the process', async () => {
  const run = new ScriptedRun(scriptedFlow((ctx) => void ctx.step('loose', () => Promise.reject(new Error('lost')))))
  expect(await run.attempt()).toMatchObject({ outcome: 'finished' })
  expect(run.events.findLast(({ kind }) => kind === 'step')?.data).toMatchObject({ phase: 'failed', error: { message: 'lost' } })
})

test('a journal that outgrows its limit ends the run with what to do', async () => {
  const { run, dead, survive } = mortal(async (ctx, die) => {
    await ctx.step('big', () => 'x'.repeat(5000))
    await die()
  })
  void run.attempt()
  await dead
  survive()
  run.limits = { journalBytes: 4000 }
  expect(await run.attempt()).toMatchObject({ outcome: 'failed', error: { code: 'journal_too_large' } })
  expect(run.events.at(-1)?.data).toEqual({ status: 'error' })
})

test('a flow that emits too much is stopped with what to do', async () => {
  const many = new ScriptedRun(
    scriptedFlow(async (ctx) => {
      for (let n = 0; n < 100; n += 1) ctx.debug(n)
      await ctx.step('never', () => 1)
    }),
    { events: 50 },
  )
  expect((await many.attempt()).outcome).toBe('failed')
  const fast = new ScriptedRun(
    scriptedFlow((ctx) => {
      for (let n = 0; n < 60_000; n += 1) ctx.debug(n)
    }),
  )
  expect(await fast.attempt()).toMatchObject({ outcome: 'failed', error: { code: 'emitting_too_fast' } })
})

test('now, random and uuid are the same in each try, also between branches', async () => {
  const seen: unknown[] = []
  const { run, dead, survive } = mortal(async (ctx, die) => {
    seen.push([ctx.now(), ctx.random(), ctx.uuid(), await ctx.group('g', () => [ctx.random(), ctx.uuid()])])
    await ctx.step('mark', () => ctx.random())
    seen.push(ctx.random())
    await die()
  })
  void run.attempt()
  await dead
  survive()
  await run.attempt()
  expect(seen.slice(2)).toEqual(seen.slice(0, 2))
  expect(seen[0]).toEqual([
    expect.any(Number),
    expect.any(Number),
    expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    expect.anything(),
  ])
})
