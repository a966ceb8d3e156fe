// Goal: child runs are started once and their ends are taken once, whatever becomes of the tries of their parent. Method: tries of one run are made by hand over a timeline in memory, beside children that
// the test starts, ends and forgets; crashes drop what was not flushed.
import { UnavailableError, type RunEvent } from '@koco/core'
import { expect, test } from 'vitest'
import type { ChildEnd, ChildRuns, ChildStart } from '../children/child-runs.ts'
import type { ChildRun, FlowContext } from '../context.ts'
import { ScriptedRun, scriptedFlow } from '../testing/scripted-run.ts'

/** Children that end when the test says so. */
class ScriptedChildren implements ChildRuns {
  readonly starts: ChildStart[] = []
  readonly ends = new Map<string, ChildEnd>()
  readonly retried: string[] = []
  readonly stopped: (string | null)[][] = []
  away = 0
  readonly #listeners = new Set<(fid: string) => void>()

  async start(child: ChildStart): Promise<void> {
    if (this.away-- > 0) throw new UnavailableError('full', { code: 'launcher_full' })
    this.starts.push(child)
  }

  async ended(fids: readonly string[]): Promise<readonly ChildEnd[]> {
    return fids.flatMap((fid) => this.ends.get(fid) ?? [])
  }

  onEnded(listener: (fid: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async retry(fid: string): Promise<void> {
    this.retried.push(fid)
    this.end(fid, 'again')
  }

  async stop(by: string, reason: string | null): Promise<void> {
    this.stopped.push([by, reason])
  }

  end(fid: string, value: string): void {
    this.ends.set(fid, { fid, at: Date.now() / 1000 + 60, status: 'finished', result: { type: 'text', value } })
    for (const listener of this.#listeners) listener(fid)
  }
}

function family(run: (ctx: FlowContext) => unknown) {
  const children = new ScriptedChildren()
  const parent = new ScriptedRun(scriptedFlow(run))
  parent.children = children
  return { parent, children }
}

const ofChildren = (events: readonly RunEvent[]) => events.flatMap((event) => (event.kind === 'child' ? [`${event.data.phase} ${event.data.id}`] : []))

test('a wait of a live try hears of the end, takes the result and journals it', async () => {
  const { parent, children } = family(async (ctx) => {
    const child = await ctx.start('page', { n: 1 })
    setTimeout(() => children.end(child.fid, 'text of the page'), 1)
    return ctx.wait(child)
  })
  expect(await parent.attempt()).toMatchObject({ outcome: 'finished', final: { value: 'text of the page' } })
  expect(ofChildren(parent.events)).toEqual(['started page', 'ended page'])
  expect(children.starts).toMatchObject([{ flow: 'page', inputs: { n: 1 } }])
})

test('a try in which only children are waited for is suspended with the groups that it waits for', async () => {
  const { parent, children } = family(async (ctx) => {
    const [a, b, c] = [await ctx.start('page', 1), await ctx.start('page', 2), await ctx.start('page', 3)]
    return Promise.all([ctx.wait([a, b]), ctx.wait(c)])
  })
  const outcome = await parent.attempt()
  const [a, b, c] = children.starts.map(({ fid }) => fid)
  expect(outcome).toEqual({ outcome: 'suspended', status: 'awaiting', wakeAt: null, locks: [], children: [[a, b], [c]] })
  for (const fid of [a, b, c]) children.end(fid ?? '', `of ${fid}`)
  expect(await parent.attempt('wake')).toMatchObject({ outcome: 'finished', final: { value: [[`of ${a}`, `of ${b}`], `of ${c}`] } })
  expect(children.starts).toHaveLength(3)
})

test('a child whose start was not journaled is started again under the same fid', async () => {
  const crashed = Promise.withResolvers<void>()
  const { parent, children } = family(async (ctx) => {
    await ctx.start('page', {})
    await ctx.step('crash', () => {
      if (children.starts.length === 1) parent.timeline.crash()
      crashed.resolve()
    })
    return 'done'
  })
  void parent.attempt()
  await crashed.promise
  expect(await parent.attempt('recover')).toMatchObject({ outcome: 'finished' })
  expect(children.starts.length).toBe(2)
  expect(new Set(children.starts.map(({ fid }) => fid)).size).toBe(1)
  expect(children.starts[0]?.fid.slice(0, 8)).toBe(parent.timeline.fid.slice(0, 8))
})

test('other inputs in a later try, and a child that is not asked for again, end with NondeterminismError', async () => {
  for (const second of [(ctx: FlowContext) => ctx.start('page', 2), () => 'nothing']) {
    let tries = 0
    const { parent } = family(async (ctx) => {
      tries += 1
      if (tries > 1) return second(ctx)
      await ctx.start('page', 1)
      return ctx.sleep('1h')
    })
    expect(await parent.attempt()).toMatchObject({ outcome: 'suspended' })
    expect(await parent.attempt('wake')).toMatchObject({ outcome: 'failed', error: { name: 'NondeterminismError' } })
  }
})

test('a start that finds the launcher full is made again later', async () => {
  const { parent, children } = family(async (ctx) => (await ctx.start('page', {})).flow)
  children.away = 1
  const first = await parent.attempt()
  const outcome = first.outcome === 'suspended' ? await parent.attempt('wake') : first
  expect(outcome).toMatchObject({ outcome: 'finished', final: { value: 'page' } })
  expect(children.starts).toHaveLength(1)
})

test('a retry of the parent does again what had failed, and what a failed child of the same parent returned stays', async () => {
  const { parent, children } = family(async (ctx) => ctx.wait([await ctx.start('good', {}), await ctx.start('bad', {})]))
  expect(await parent.attempt()).toMatchObject({ outcome: 'suspended' })
  const [good = '', bad = ''] = children.starts.map(({ fid }) => fid)
  children.end(good, 'kept')
  children.ends.set(bad, { fid: bad, at: 1, status: 'cancelled', error: { name: 'Error', message: 'it was cancelled' } })
  expect(await parent.attempt('wake')).toMatchObject({ outcome: 'failed', error: { name: 'ChildRunError', code: 'child_cancelled' } })
  expect(await parent.attempt('retry')).toMatchObject({ outcome: 'finished', final: { value: ['kept', 'again'] } })
  expect(children.retried).toEqual([bad])
})

test('a cancel stops the children before the run says that it ended', async () => {
  const { parent, children } = family(async (ctx) => {
    const child = await ctx.start('page', {})
    parent.ask('cancel', 'enough')
    return ctx.wait(child)
  })
  expect(await parent.attempt()).toMatchObject({ outcome: 'cancelled' })
  expect(children.stopped).toContainEqual(['ada', 'enough'])
})

test('a child of another run, and calls inside a step, are refused', async () => {
  const stranger: ChildRun = { fid: 'f'.repeat(24), flow: 'page', id: 'page' }
  const { parent } = family((ctx) => ctx.wait(stranger))
  expect(await parent.attempt()).toMatchObject({ outcome: 'failed', error: { code: 'bad_call' } })
  const inside = family((ctx) => ctx.step('a', () => ctx.start('page', {}))).parent
  expect(await inside.attempt()).toMatchObject({ outcome: 'failed', error: { code: 'inside_step' } })
})

test('starts of one flow side by side need keys', async () => {
  const { parent } = family((ctx) => Promise.all([ctx.start('page', 1), ctx.start('page', 2)]))
  expect(await parent.attempt()).toMatchObject({ outcome: 'failed', error: { code: 'same_name_at_once' } })
})
