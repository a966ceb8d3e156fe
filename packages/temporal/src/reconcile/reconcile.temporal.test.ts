// Goal: store, streams and Temporal come to agree whatever happened to a run behind koco's back, and nothing that lives is closed. Method: real servers; each run is brought into its state by hand (terminated,
// timed out, deleted, never started, its end not stored, ended or removed behind its workflow's back), then the reconciler looks.
import { WorkflowNotFoundError } from '@temporalio/client'
import { newFid, type RunState } from '@koco/core'
import type { Launcher } from '@koco/flow'
import { ofThisWorker } from '@koco/testing'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { createTemporalLauncher } from '../client/launcher.ts'
import { TemporalServer } from '../client/server.ts'
import { SCHEDULED_START } from '../names.ts'
import { historyFlows } from '../testing/flows.ts'
import { openRig, PATIENCE, type TemporalRig } from '../testing/open-launcher.ts'
import { reconcileNow, startReconciler } from './reconciler.ts'

const YOUNG_MS = 500

let rig: TemporalRig
let other: TemporalRig
let launcher: Launcher
beforeAll(async () => {
  const servers = { temporal: ofThisWorker(inject('temporalAddresses')), redis: inject('redisUrl') }
  rig = await openRig(servers)
  other = await openRig(servers)
  await rig.startWorker(historyFlows(), { limits: { idleMs: 50 } })
  launcher = createTemporalLauncher(rig)
})
afterAll(async () => {
  await launcher.close(0)
  await Promise.all([rig.close(), other.close()])
})

const workflow = (fid: string) => rig.server.client.workflow.getHandle(`${rig.settings.workflowIdPrefix}${fid}`)
const until = (fid: string, status: RunState['status']): Promise<RunState> => rig.until(fid, (run) => run.status === status)
const begin = async (flow: string, status: RunState['status'], inputs = {}): Promise<string> => {
  const { fid } = await launcher.start({ flow, inputs, user: 'ada', idempotencyKey: null })
  await until(fid, status)
  return fid
}
const waiting = (): Promise<string> => begin('quiz', 'awaiting', { questions: 1 })
/** A row without a workflow, as a start leaves it that Temporal did not take. */
const untaken = async ({ store } = rig): Promise<string> => {
  const fid = newFid(Date.now(), crypto.getRandomValues(new Uint8Array(8)))
  const about = { flow: 'plain', version: null, user: 'ada', summary: 'Plain', tags: [], parent: null, inputs: {}, createdAt: Date.now() / 1000 }
  await store.runs.create({ fid, ...about, launcher: 'temporal', idempotencyKey: null })
  return fid
}
const look = async (fid: string, youngMs = YOUNG_MS) => (await reconcileNow({ ...rig, launcher, youngMs })).find((one) => one.fid === fid)
/** The visibility of a workflow that was closed may be late: looks until the reconciler has found it. */
const found = (fid: string) =>
  vi.waitFor(async () => {
    const one = await look(fid)
    if (one === undefined) throw new Error(`nothing was found of run ${fid}`)
    return one
  }, PATIENCE)
/** Writes the end of a waiting run, an hour ago, without a word to its workflow. */
const endBehindItsBack = async (fid: string): Promise<void> => {
  const { lastPosition } = await until(fid, 'awaiting')
  const epoch = await rig.store.runs.nextEpoch(fid, Date.now())
  const prev = `${lastPosition.epoch}-${lastPosition.seq}`
  const records = [
    { epoch, seq: 1, kind: 'attempt', data: { attempt: 1, reason: 'finalise', owner: 'test', prev } },
    { epoch, seq: 2, kind: 'status', data: { status: 'cancelled' } },
  ]
  await rig.store.writer.write([{ fid, records: records.map((one) => ({ ...one, ts: Date.now() / 1000 - 3600, step: null, data: JSON.stringify(one.data) })) }])
}
const lastKinds = async (fid: string, count: number): Promise<string[]> => {
  const { records } = await rig.store.reader.read(fid, { after: { epoch: 0, seq: 0 }, limit: 1000 })
  const epochs = new Set(records.slice(-count).map(({ epoch }) => epoch))
  expect(epochs.size).toBe(1)
  expect(records.filter(({ epoch }) => epochs.has(epoch))).toHaveLength(count)
  return records.slice(-count).map(({ kind }) => kind)
}

test('a run that waits and is terminated in Temporal is cancelled, with who did it and why; a retry goes on', async () => {
  const fid = await waiting()
  await workflow(fid).terminate('out of money')
  expect(await found(fid)).toMatchObject({ found: 'terminated', did: 'ended', note: expect.stringContaining('out of money') })
  await until(fid, 'cancelled')
  expect(await lastKinds(fid, 3)).toEqual(['attempt', 'cancel', 'status'])
  expect(await look(fid)).toBeUndefined()
  expect(await launcher.retry(fid, 'ada')).toEqual({ outcome: 'accepted' })
  await until(fid, 'awaiting')
  await launcher.cancel(fid, 'ada')
})

test('a run that is terminated in the middle of a try: the try lets go, and its end comes after all that it wrote', async () => {
  const fid = await begin('works', 'running')
  await workflow(fid).terminate()
  await found(fid)
  await until(fid, 'cancelled')
  expect(await lastKinds(fid, 3)).toEqual(['attempt', 'cancel', 'status'])
})

test('children of a terminated run are cancelled with it', async () => {
  const fid = await begin('parent-of-quiz', 'awaiting')
  const [child] = await rig.store.runs.children(fid, null, 10)
  await until(child?.fid ?? '', 'awaiting')
  await workflow(fid).terminate()
  await found(fid)
  await until(fid, 'cancelled')
  expect((await until(child?.fid ?? '', 'cancelled')).parent).toBe(fid)
})

test('a run that Temporal closed after its longest life is timed out', async () => {
  const short = createTemporalLauncher({ ...rig, server: new TemporalServer({ ...rig.settings, executionTimeoutS: 2 }) })
  const { fid } = await short.start({ flow: 'quiz', inputs: { questions: 1 }, user: 'ada', idempotencyKey: null })
  expect(await found(fid)).toMatchObject({ found: 'timed_out', did: 'ended' })
  expect((await until(fid, 'timed_out')).error?.message).toContain('KODO_TEMPORAL_EXECUTION_TIMEOUT')
  await short.close(0)
})

test('a run that Temporal never took ends in words once it is old enough, and a retry starts it', async () => {
  const fid = await untaken()
  expect(await look(fid, 60_000)).toBeUndefined()
  expect(await found(fid)).toMatchObject({ found: 'never_started', did: 'ended' })
  expect((await until(fid, 'error')).error?.message).toContain('never took')
  expect(await launcher.retry(fid, 'ada')).toEqual({ outcome: 'accepted' })
  await until(fid, 'finished')
})

test('a run that Temporal has lost ends as lost, and a retry goes on from its journal', async () => {
  const fid = await waiting()
  const { workflowId } = workflow(fid)
  // While it is open, which closes and deletes it in one: the deletion of a closed workflow waits until the server's queue has noted the closing, which it does every 30 s.
  await rig.server.client.workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution: { workflowId } })
  await vi.waitFor(async () => expect(workflow(fid).describe()).rejects.toBeInstanceOf(WorkflowNotFoundError), PATIENCE)
  expect(await found(fid)).toMatchObject({ found: 'lost', did: 'ended' })
  expect((await until(fid, 'error')).error?.name).toBe('RunLost')
  expect(await launcher.retry(fid, 'ada')).toEqual({ outcome: 'accepted' })
  await until(fid, 'awaiting')
  await launcher.cancel(fid, 'ada')
})

test('a workflow that completed while its events were lost: the run says so', async () => {
  const fid = await untaken()
  // Any workflow under the run's id that comes to its end.
  await rig.server.client.workflow
    .execute(SCHEDULED_START, { workflowId: workflow(fid).workflowId, taskQueue: rig.settings.taskQueue, args: ['no-such-schedule'] })
    .catch(() => undefined)
  const { status } = await workflow(fid).describe()
  expect(await found(fid)).toMatchObject({ found: status.name === 'COMPLETED' ? 'events_lost' : 'closed', did: 'ended' })
  await until(fid, 'error')
})

test('a workflow that is still open after the end of its run is told, and closes', async () => {
  const fid = await waiting()
  await endBehindItsBack(fid)
  expect(await found(fid)).toMatchObject({ found: 'open_after_end', did: 'told' })
  await vi.waitFor(async () => expect((await workflow(fid).describe()).status.name).toBe('CANCELLED'), PATIENCE)
})

test('a workflow whose run is nowhere is woken, and fails because its worker has no such run either', async () => {
  const fid = await waiting()
  await endBehindItsBack(fid)
  expect(await rig.store.keeper.remove([fid], Date.now() / 1000 + 1)).toEqual([fid])
  expect(await found(fid)).toMatchObject({ found: 'unknown_run', did: 'left', note: expect.stringContaining('spooler') })
  // With the streams of another installation, as after a Redis that was wiped.
  const done = await reconcileNow({ ...rig, launcher, transport: other.transport, youngMs: YOUNG_MS })
  expect(done.filter((one) => one.fid === fid)).toMatchObject([{ found: 'unknown_run', did: 'told' }])
  await expect(workflow(fid).result()).rejects.toMatchObject({ cause: { message: expect.stringContaining(fid) } })
  await vi.waitFor(async () => expect(await look(fid)).toBeUndefined(), PATIENCE)
})

test('a run of another installation on the same queue is woken once and waits on; while the own store is empty nothing is done by itself', async () => {
  const fid = await waiting()
  const said: string[] = []
  const strangers = { ...other, server: rig.server, launcher, youngMs: 0, everyMs: 50, log: (_level: string, message: string) => void said.push(message) }
  const about = (): string[] => said.filter((line) => line.includes(fid))
  const alone = startReconciler(strangers)
  await vi.waitFor(() => expect(about()[0]).toContain('is it the right one'), PATIENCE)
  await alone.close()
  const { attempt } = await until(fid, 'awaiting')
  said.length = 0
  await untaken(other)
  const beside = startReconciler(strangers)
  await vi.waitFor(() => expect(about().at(-1)).toContain('another installation uses queue'), PATIENCE)
  await beside.close()
  expect(about()[0]).toContain('is woken')
  await vi.waitFor(async () => expect(await rig.store.runs.get(fid)).toMatchObject({ status: 'awaiting', attempt: attempt + 1, openLocks: 1 }), PATIENCE)
  await launcher.cancel(fid, 'ada')
  await until(fid, 'cancelled')
})

test('what lives is let be: waiting, at work, paused, without a worker, just started', async () => {
  const fids = [await waiting(), await begin('works', 'running'), await waiting()]
  await launcher.pause(fids[2] ?? '', 'ada')
  await until(fids[2] ?? '', 'paused')
  const young = await untaken()
  await rig.store.flows.heartbeat({ id: 'gone', launcher: 'temporal', host: 'h', pid: 1, seenAt: 0 }, [
    { name: 'cold', version: null, summary: 'Cold', description: '', tags: [], author: null, inputs: {} },
  ])
  fids.push((await launcher.start({ flow: 'cold', inputs: {}, user: 'ada', idempotencyKey: null })).fid)
  // What its stream has the store has too, so that nothing of it comes in between.
  const atRest = (fid: string) =>
    vi.waitFor(async () => {
      const run = await rig.store.runs.get(fid)
      expect(run?.lastPosition).toEqual((await rig.transport.streams.top(fid)) ?? run?.lastPosition)
      return run
    }, PATIENCE)
  const before = await Promise.all(fids.map(atRest))
  const done = await reconcileNow({ ...rig, launcher, youngMs: 60_000 })
  expect(done.filter(({ fid }) => [...fids, young].includes(fid))).toEqual([])
  expect(await Promise.all(fids.map((fid) => rig.store.runs.get(fid)))).toEqual(before)
  for (const fid of fids) await launcher.cancel(fid, 'ada')
})

test('a run whose end waits in the stream for a spooler is let be', async () => {
  const fid = await waiting()
  await rig.stopSpooler()
  await launcher.cancel(fid, 'ada')
  await vi.waitFor(async () => expect((await workflow(fid).describe()).status.name).toBe('CANCELLED'), PATIENCE)
  const top = await rig.transport.streams.top(fid)
  expect(await found(fid)).toMatchObject({ found: 'on_its_way', did: 'left', note: expect.stringContaining('spooler') })
  expect(await rig.transport.streams.top(fid)).toEqual(top)
  rig.startSpooler()
  await until(fid, 'cancelled')
  expect(await look(fid)).toBeUndefined()
})

test('of several processes one compares, and another goes on when it ends', async () => {
  const said: string[] = []
  const start = (name: string) =>
    startReconciler({ ...rig, launcher, everyMs: 50, youngMs: YOUNG_MS, log: (_level, message) => said.push(`${name}: ${message}`) })
  const first = start('first')
  const taken = await vi.waitFor(async () => {
    const free = await rig.store.exclusive('reconciler')
    await free?.()
    expect(free).toBeUndefined()
    return start('second')
  }, PATIENCE)
  const one = await untaken()
  await until(one, 'error')
  await first.close()
  const two = await untaken()
  await until(two, 'error')
  await taken.close()
  // Who, not how often: with so short a round the next one may come before the end of the run is stored.
  const about = (fid: string) => [...new Set(said.filter((line) => line.includes(fid)).map((line) => line.split(':')[0]))]
  expect([about(one), about(two)]).toEqual([['first'], ['second']])
})
