// Goal: waits cost nothing and lose nothing: locks, sleeps, pause, cancel, time limit, stop. Method: tries of one run on a timeline in memory, people's requests set by hand, the clock moved by the test.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { UnavailableError, type RunEvent } from '@koco/core'
import { ScriptedRun, scriptedFlow } from '../testing/scripted-run.ts'
import { TestClock } from '../testing/world.ts'

const kinds = (run: ScriptedRun): string[] => run.events.map(({ kind, data }) => (kind === 'status' && 'status' in data ? `status ${data.status}` : kind))
const lids = (run: ScriptedRun): string[] => run.events.flatMap((event) => (event.kind === 'lock' ? [event.data.lid] : []))
const last = (run: ScriptedRun, kind: RunEvent['kind']): unknown => run.events.findLast((event) => event.kind === kind)?.data

/** A place in a flow: the test learns when it is reached, and opens it. */
class Gate {
  readonly #reached = Promise.withResolvers<void>()
  readonly #opened = Promise.withResolvers<void>()
  readonly reached = this.#reached.promise
  readonly open = this.#opened.resolve

  pass(): Promise<void> {
    this.#reached.resolve()
    return this.#opened.promise
  }
}

/** Resolves when the run has emitted (and stored) an event of a kind. */
async function seen(run: ScriptedRun, kind: RunEvent['kind']): Promise<void> {
  while (!run.events.some((event) => event.kind === kind)) await new Promise((resolve) => setImmediate(resolve))
}

test('a lock answered while the try lives continues in the same try', async () => {
  const run = new ScriptedRun(
    scriptedFlow((ctx) => ctx.lock('Approve it?', { form: z.object({ go: z.boolean() }), data: { a: 1 } })),
    { idleMs: 60_000 },
  )
  const outcome = run.attempt()
  await seen(run, 'lock')
  run.answer(lids(run)[0] ?? '', { go: false })
  expect(await outcome).toMatchObject({ outcome: 'finished', final: { value: { go: false } } })
  expect(last(run, 'lock')).toMatchObject({
    lid: expect.stringMatching(/^approve-it-[0-9a-f]{8}$/),
    name: 'Approve it?',
    data: { a: 1 },
    form: { type: 'object' },
  })
  expect(last(run, 'lease')).toMatchObject({ answer: { go: false }, by: 'ada' })
})

test('a lock says who may answer, and a list that is none is refused', async () => {
  const named = new ScriptedRun(scriptedFlow((ctx) => ctx.lock('ask', { assignees: ['ann'], roles: ['operator'] })))
  await named.attempt()
  expect(last(named, 'lock')).toMatchObject({ assignees: ['ann'], roles: ['operator'] })
  const careless = new ScriptedRun(scriptedFlow((ctx) => ctx.lock('ask', { assignees: 'ann' as never })))
  expect(await careless.attempt()).toMatchObject({
    outcome: 'failed',
    error: { code: 'bad_call', message: expect.stringContaining('assignees of lock "ask"') },
  })
})

test('an escalation is validated when the question is asked', async () => {
  for (const [escalate, words] of [
    [{ after: '1h' }, 'names nobody'],
    [{ after: '4h', roles: ['operator'] }, 'comes after its timeout'],
    [{ after: 0, roles: ['operator'] }, 'growing times'],
    [
      [
        { after: '1h', assignees: ['ann'] },
        { after: '1h', assignees: ['bob'] },
      ],
      'growing times',
    ],
    [Array.from({ length: 11 }, (_, n) => ({ after: `${n + 1}m`, assignees: ['ann'] })), 'at most 10 steps'],
    [{ after: '1h', assignees: 'ann' }, 'assignees of lock "ask"'],
  ] as const) {
    const run = new ScriptedRun(scriptedFlow((ctx) => ctx.lock('ask', { timeout: '3h', escalate: escalate as never })))
    expect(await run.attempt(), words).toMatchObject({ outcome: 'failed', error: { code: 'bad_call', message: expect.stringContaining(words) } })
  }
})

test('a try that wakes late takes the steps of an escalation that are over, each once, and waits for the next', async () => {
  const startMs = 1_900_000_000_000
  const clock = new TestClock(startMs, false)
  const escalate = [
    { after: '1h', assignees: ['bob'] },
    { after: '2h', roles: ['operator'] as const },
  ] as const
  const run = new ScriptedRun(
    scriptedFlow((ctx) => ctx.lock('ask', { assignees: ['ann'], timeout: '3h', escalate })),
    { idleMs: 300 },
    clock,
  )
  const asked = await run.attempt()
  expect(asked).toMatchObject({ outcome: 'suspended', status: 'awaiting' })
  const steps = () => run.events.filter(({ kind }) => kind === 'escalate').map(({ data }) => data)
  const due = 'wakeAt' in asked ? asked.wakeAt : null
  const lock = last(run, 'lock') as { readonly escalations: readonly { readonly at: number }[]; readonly expires_at: number }
  expect(due).toBe(lock.escalations[0]?.at)
  clock.skipTo(startMs + 3_660_000)
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'suspended', wakeAt: lock.escalations[1]?.at })
  expect(steps()).toMatchObject([{ step: 1, assignees: ['ann', 'bob'], roles: [] }])
  clock.skipTo(startMs + 7_260_000)
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'suspended', wakeAt: lock.expires_at })
  expect(steps()).toMatchObject([{ step: 1 }, { step: 2, assignees: ['ann', 'bob'], roles: ['operator'] }])
  run.answer(lids(run)[0] ?? '', 'yes')
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'finished', final: { value: 'yes' } })
  expect(steps()).toHaveLength(2)
})

test('an answer that the store has is taken, however slowly it gives it', async () => {
  const run = new ScriptedRun(
    scriptedFlow((ctx) => ctx.lock('ask')),
    { idleMs: 1 },
  )
  expect(await run.attempt()).toMatchObject({ outcome: 'suspended' })
  // Nobody tells the next try of it: it was given between the two.
  run.answers.push({ lid: lids(run)[0] ?? '', answer: 'yes', by: 'ada', at: 1 })
  let reads = 0
  const requests = {
    wanted: async () => undefined,
    answers: async () => {
      reads += 1
      if (reads === 1) throw new UnavailableError('away', { code: 'store_unavailable' })
      await new Promise((resolve) => setTimeout(resolve, 60))
      return run.answers
    },
    onChange: () => () => undefined,
  }
  expect(await run.attempt('wake', { requests })).toMatchObject({ outcome: 'finished', final: { value: 'yes' } })
  expect(reads).toBe(2)
})

test('a lock that nobody answers suspends the try, without unwinding the function', async () => {
  let unwound = false
  const flow = scriptedFlow(async (ctx) => {
    try {
      return await ctx.lock('ask', { timeout: null })
    } finally {
      unwound = run.events.every(({ kind }) => kind !== 'lease')
    }
  })
  const run: ScriptedRun = new ScriptedRun(flow)
  const outcome = await run.attempt()
  expect(outcome).toEqual({ outcome: 'suspended', status: 'awaiting', wakeAt: null, locks: lids(run) })
  expect(last(run, 'status')).toEqual({ status: 'awaiting', until: null })
  run.answer(lids(run)[0] ?? '', '')
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'finished', final: { type: 'text', value: '' } })
  expect([lids(run).length, unwound]).toEqual([1, false])
})

test('an answer that the form admits and the flow refuses is asked for again', async () => {
  const even = z.number().refine((n) => n % 2 === 0, 'must be even')
  const run = new ScriptedRun(scriptedFlow((ctx) => ctx.lock('n', { form: even })))
  await run.attempt()
  run.answer(lids(run)[0] ?? '', 3)
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'suspended' })
  expect(lids(run)).toHaveLength(2)
  expect(last(run, 'warning')).toMatchObject({ value: expect.stringContaining('must be even') })
  run.answer(lids(run)[1] ?? '', 4)
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'finished', final: { value: 4 } })
})

test('a lock expires: an event, then fail; after a retry it is asked again under a new id', async () => {
  const clock = new TestClock(1_900_000_000_000, false)
  const run = new ScriptedRun(
    scriptedFlow((ctx) => ctx.lock('ask', { timeout: '1h' })),
    {},
    clock,
  )
  expect(await run.attempt()).toMatchObject({ outcome: 'suspended', wakeAt: 1_900_003_600 })
  clock.skipTo(1_900_003_600_000)
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'failed', error: { code: 'lock_expired' } })
  expect(last(run, 'lease')).toMatchObject({ expired: true })
  clock.skipTo(1_900_003_700_000)
  expect(await run.attempt('retry')).toMatchObject({ outcome: 'suspended', locks: [lids(run)[1]] })
  run.answer(lids(run)[1] ?? '', true)
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'finished', final: { value: true } })
})

test('a short sleep just waits, a long one suspends the try and is over in a later one', async () => {
  const clock = new TestClock(1_900_000_000_000, false)
  const run = new ScriptedRun(
    scriptedFlow(async (ctx) => {
      await ctx.sleep(5)
      await ctx.sleep('1h')
      return 'rested'
    }),
    {},
    clock,
  )
  const outcome = await run.attempt()
  expect(outcome).toMatchObject({ outcome: 'suspended', status: 'awaiting', locks: [] })
  clock.skipTo(1_900_003_601_000)
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'finished' })
  expect(kinds(run).filter((kind) => kind === 'sleep')).toHaveLength(4)
})

test('a pause holds at the next step border and a resume goes on', async () => {
  const done: string[] = []
  const gate = new Gate()
  const run = new ScriptedRun(
    scriptedFlow(async (ctx) => {
      await ctx.step('one', () => gate.pass().then(() => done.push('one')))
      return ctx.step('two', () => done.push('two'))
    }),
  )
  const outcome = run.attempt()
  await gate.reached
  run.ask('pause', 'lunch')
  gate.open()
  expect(await outcome).toEqual({ outcome: 'suspended', status: 'paused', wakeAt: null, locks: [] })
  expect(done).toEqual(['one'])
  expect(last(run, 'pause')).toEqual({ by: 'ada', reason: 'lunch' })
  run.ask('run')
  expect(await run.attempt('resume')).toMatchObject({ outcome: 'finished', final: { value: 2 } })
  expect(last(run, 'resume')).toEqual({ by: 'ada' })
  expect(kinds(run).filter((kind) => /status|pause|resume|attempt/.test(kind))).toEqual(
    'attempt,status starting,status running,pause,status paused,attempt,resume,status running,status finished'.split(','),
  )
})

test('a pause taken back before it held anything leaves no trace', async () => {
  const gate = new Gate()
  const run = new ScriptedRun(
    scriptedFlow(async (ctx) => {
      await ctx.step('one', () => gate.pass())
      return ctx.step('two', () => 2)
    }),
    { idleMs: 60_000 },
  )
  const outcome = run.attempt()
  await gate.reached
  run.ask('pause')
  gate.open()
  await seen(run, 'step')
  run.ask('run')
  expect(await outcome).toMatchObject({ outcome: 'finished' })
  expect(kinds(run)).not.toContain('pause')
})

test('a run that waits is paused without running its function, and stays paused over a recovery', async () => {
  let calls = 0
  const run = new ScriptedRun(
    scriptedFlow((ctx) => {
      calls += 1
      return ctx.lock('ask')
    }),
  )
  await run.attempt()
  run.ask('pause')
  expect(await run.attempt('wake')).toEqual({ outcome: 'suspended', status: 'paused', wakeAt: null, locks: lids(run) })
  expect(await run.attempt('recover')).toMatchObject({ status: 'paused' })
  expect([calls, kinds(run).filter((kind) => kind === 'pause').length]).toEqual([1, 1])
})

test('a cancel aborts the signal, lets the function unwind and keeps what was emitted', async () => {
  let cleaned = false
  const run = new ScriptedRun(
    scriptedFlow(async (ctx) => {
      ctx.result('part')
      try {
        await ctx.step('work', ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))))
      } finally {
        ctx.result('cleaned')
        cleaned = true
      }
    }),
  )
  const outcome = run.attempt()
  await seen(run, 'meta')
  run.ask('cancel', 'enough')
  expect(await outcome).toEqual({ outcome: 'cancelled' })
  expect(cleaned).toBe(true)
  expect(kinds(run).filter((kind) => kind === 'result')).toHaveLength(2)
  expect(kinds(run).slice(-2)).toEqual(['cancel', 'status cancelled'])
  expect(last(run, 'cancel')).toEqual({ by: 'ada', reason: 'enough' })
})

test('a cancelled function that does not unwind is cut off after the grace time', async () => {
  const run = new ScriptedRun(
    scriptedFlow(() => new Promise(() => undefined)),
    { graceMs: 20 },
  )
  const outcome = run.attempt()
  await seen(run, 'meta')
  run.ask('cancel')
  expect(await outcome).toEqual({ outcome: 'cancelled' })
  expect(kinds(run).at(-1)).toBe('status cancelled')
})

test('waits and new steps of a cancelled run throw', async () => {
  const thrown: unknown[] = []
  const run = new ScriptedRun(
    scriptedFlow(async (ctx) => {
      await ctx.lock('ask').catch((error: unknown) => thrown.push(error))
      await ctx.sleep('1h').catch((error: unknown) => thrown.push(error))
      await ctx.step('more', () => 1).catch((error: unknown) => thrown.push(error))
      return 'done all the same'
    }),
    { idleMs: 60_000 },
  )
  const outcome = run.attempt()
  await seen(run, 'lock')
  run.ask('cancel')
  expect(await outcome).toEqual({ outcome: 'cancelled' })
  expect(thrown).toMatchObject([{ code: 'cancelled' }, { code: 'cancelled' }, { code: 'cancelled' }])
  expect(kinds(run)).not.toContain('final')
})

test('a run over its working time times out; waiting does not count', async () => {
  const clock = new TestClock(1_900_000_000_000, false)
  const slow = new ScriptedRun(
    scriptedFlow(async (ctx) => {
      await ctx.sleep('1h')
      await ctx.step('slow', ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))))
    }, 30),
    {},
    clock,
  )
  expect(await slow.attempt()).toMatchObject({ outcome: 'suspended' })
  clock.skipTo(1_900_003_600_000)
  const outcome = slow.attempt('wake')
  const ticking = setInterval(() => clock.skipTo(clock.now() + 5), 1)
  expect(await outcome).toEqual({ outcome: 'timed_out' })
  clearInterval(ticking)
  expect(last(slow, 'error')).toMatchObject({ code: 'run_timeout' })
  expect(kinds(slow).at(-1)).toBe('status timed_out')
})

test('a stop lets go at a step border; a stop at once aborts the step, which a later try does again', async () => {
  let calls = 0
  const gate = new Gate()
  const flow = scriptedFlow(async (ctx) => {
    await ctx.step('one', () => gate.pass())
    return ctx.step('two', () => (calls += 1))
  })
  const run = new ScriptedRun(flow)
  const outcome = run.attempt()
  await gate.reached
  run.stop.abort()
  gate.open()
  expect(await outcome).toEqual({ outcome: 'released' })
  run.stop = new AbortController()
  expect(await run.attempt()).toMatchObject({ outcome: 'finished' })
  expect(calls).toBe(1)

  const closed = new Gate()
  const hanging = new ScriptedRun(scriptedFlow((ctx) => ctx.step('hangs', () => closed.pass())))
  const cut = hanging.attempt()
  await closed.reached
  hanging.stop.abort()
  hanging.stopNow.abort()
  expect(await cut).toEqual({ outcome: 'released' })
  expect(kinds(hanging).at(-1)).not.toMatch(/status (paused|cancelled|error)/)
})

test('a fenced try writes nothing more, starts nothing more and has its signal aborted', async () => {
  let started = 0
  let aborted: unknown
  const gate = new Gate()
  const run = new ScriptedRun(
    scriptedFlow(async (ctx) => {
      ctx.signal.addEventListener('abort', () => (aborted = ctx.signal.reason))
      await ctx.step('one', () => gate.pass())
      started += 1
      await ctx.step('two', () => (started += 1))
    }),
  )
  const outcome = run.attempt()
  await gate.reached
  run.timeline.producer('other')
  const before = run.events.length
  expect(await outcome).toEqual({ outcome: 'fenced', begun: true })
  gate.open()
  await new Promise((settled) => setTimeout(settled, 10))
  expect([started, run.events.length, aborted]).toMatchObject([0, before, { code: 'fenced' }])
})

test('a try that is fenced before it begins says so', async () => {
  const run = new ScriptedRun(scriptedFlow(() => 1))
  run.wrap = (producer) => {
    run.timeline.producer('other')
    return producer
  }
  expect(await run.attempt()).toMatchObject({ outcome: 'fenced' })
  expect(run.events).toEqual([])
})

test('a try of a run that is over does nothing', async () => {
  const run = new ScriptedRun(scriptedFlow(() => 1))
  await run.attempt()
  expect(await run.attempt('recover')).toEqual({ outcome: 'ended', status: 'finished' })
})

test('deltas are gathered and published, never stored', async () => {
  const run = new ScriptedRun(
    scriptedFlow(async (ctx) => {
      for (const piece of ['a', 'b', 'c']) ctx.delta(piece)
      await ctx.step('wait', () => new Promise((resolve) => setTimeout(resolve, 70)))
      ctx.delta('d')
    }),
  )
  await run.attempt()
  expect(run.deltas).toEqual(['abc', 'd'])
})
