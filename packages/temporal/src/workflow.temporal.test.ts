// Goal: a run's workflow does what people and programs expect of it who speak to Temporal and not to the panel, stays small, and refuses in words. Method: real servers, a worker in this process, the plain
// Temporal client.
import { TimeoutFailure, WorkflowFailedError, WorkflowNotFoundError, WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client'
import { isEnded } from '@koco/core'
import type { Launcher } from '@koco/flow'
import { ofThisWorker } from '@koco/testing'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { createTemporalLauncher } from './client/launcher.ts'
import { limited, quiz, talker } from './testing/flows.ts'
import { openRig, PATIENCE, type TemporalRig } from './testing/open-launcher.ts'

const MODEL_CALLS = 1000

let rig: TemporalRig
let launcher: Launcher

beforeAll(async () => {
  rig = await openRig({ temporal: ofThisWorker(inject('temporalAddresses')), redis: inject('redisUrl') })
  await rig.startWorker([limited, quiz, talker], { limits: { idleMs: 50 } })
  launcher = createTemporalLauncher({ ...rig, historyMax: 60 })
})

afterAll(() => rig.close())

const workflowOf = (fid: string): WorkflowHandle => rig.server.client.workflow.getHandle(`${rig.settings.workflowIdPrefix}${fid}`)
const ask = async (questions: number): Promise<string> => (await launcher.start({ flow: 'quiz', inputs: { questions }, user: 'ada', idempotencyKey: null })).fid
const openLock = async (fid: string): Promise<string | undefined> =>
  (await rig.store.locks.list({ fid, limit: 1000 })).items.find(({ status }) => status === 'open')?.lid

const asking = async (fid: string, after?: string): Promise<string> => {
  await rig.until(fid, (run) => run.status === 'awaiting')
  return vi.waitFor(async () => {
    const lid = await openLock(fid)
    if (lid === undefined || lid === after) throw new Error('no question is open')
    return lid
  }, PATIENCE)
}

test('the update `answer` answers a lock; unknown locks, forms that do not fit, second answers and nonsense are rejected in words', async () => {
  const fid = await ask(1)
  const lid = await asking(fid)
  const answer = (request: unknown) => workflowOf(fid).executeUpdate('answer', { args: [request] })
  const refused = (request: unknown) => answer(request).catch((error: unknown) => (error instanceof WorkflowUpdateFailedError ? error.cause?.message : error))
  expect(await refused({ nonsense: true })).toContain('An answer is {"lid"')
  expect(await refused({ lid: 'nowhere', answer: { go: true } })).toContain('Lock nowhere')
  expect(await refused({ lid, answer: { go: 'maybe' } })).toContain('does not fit the form: /go')
  await answer({ lid, answer: { go: true }, by: 'bob' })
  expect(await refused({ lid, answer: { go: false } })).toMatch(/answered by bob|closed|completed before/)
  expect((await rig.until(fid, (run) => isEnded(run.status))).final?.value).toEqual({ answers: [true] })
})

test('signals pause, resume and cancel_workflow and the queries do what their names say', async () => {
  const fid = await ask(1)
  await asking(fid)
  const workflow = workflowOf(fid)
  // The store hears of it from the try, the workflow when the try has ended.
  await expect.poll(() => workflow.query('get_status')).toBe('awaiting')
  await workflow.signal('pause', { by: 'bob', reason: 'lunch' })
  await rig.until(fid, (run) => run.status === 'paused')
  await expect.poll(() => workflow.query('is_paused')).toBe(true)
  expect(await workflow.query('get_error')).toBeNull()
  await workflow.signal('resume', { by: 'bob' })
  await rig.until(fid, (run) => run.status === 'awaiting')
  await workflow.signal('cancel_workflow', { by: 'eve', reason: 'enough' })
  await rig.until(fid, (run) => run.status === 'cancelled')
  await vi.waitFor(async () => expect((await workflow.describe()).status.name).toBe('CANCELLED'), PATIENCE)
})

test("the cancel of Temporal's own page ends a waiting run as cancelled", async () => {
  const fid = await ask(1)
  await asking(fid)
  await workflowOf(fid).cancel()
  await rig.until(fid, (run) => run.status === 'cancelled')
  await expect(workflowOf(fid).result()).rejects.toBeInstanceOf(WorkflowFailedError)
})

test('a run that works longer than its limit is timed out in Temporal too, found as such, and goes on by a retry', async () => {
  const { fid } = await launcher.start({ flow: 'limited', inputs: {}, user: 'ada', idempotencyKey: null })
  const first = rig.server.client.workflow.getHandle(workflowOf(fid).workflowId, (await workflowOf(fid).describe()).runId)
  const ended = await rig.until(fid, ({ status }) => isEnded(status))
  // It waits for the server to close it now, for a second or so: nothing that is asked of it meanwhile closes it otherwise.
  await workflowOf(fid)
    .cancel()
    .catch((error: unknown) => expect(error).toBeInstanceOf(WorkflowNotFoundError))
  await expect(workflowOf(fid).result()).rejects.toMatchObject({ cause: expect.any(TimeoutFailure) })
  const { runId, status } = await workflowOf(fid).describe()
  expect([ended.status, status.name, await first.query('get_status')]).toEqual(['timed_out', 'TIMED_OUT', 'timed_out'])
  expect(await first.query('get_error')).toContain('longer than the limit of its flow "limited"')
  expect(await launcher.describe(fid)).toEqual({ executing: false, where: null })
  const query = `TaskQueue = '${rig.settings.taskQueue}' AND ExecutionStatus = 'TimedOut' AND KodoStatus = 'timed_out' AND KodoFlow = 'limited'`
  await vi.waitFor(async () => {
    const found: string[] = []
    for await (const one of rig.server.client.workflow.list({ query })) found.push(one.runId)
    expect(found).toEqual([runId])
  }, PATIENCE)
  expect(await rig.store.runs.get(fid)).toEqual(ended)
  expect(await launcher.retry(fid, 'ada')).toEqual({ outcome: 'accepted' })
  await rig.until(fid, (run) => isEnded(run.status) && run.attempt > ended.attempt)
})

test('runs are found by flow, user and status', async () => {
  const fid = await ask(1)
  await asking(fid)
  const query = `WorkflowType = 'AgentWorkflow' AND TaskQueue = '${rig.settings.taskQueue}' AND KodoFlow = 'quiz' AND KodoUser = 'ada' AND KodoStatus = 'awaiting'`
  await vi.waitFor(async () => {
    const found: string[] = []
    for await (const { workflowId, memo } of rig.server.client.workflow.list({ query })) found.push(`${workflowId} ${String(memo?.['flow'])}`)
    expect(found).toContain(`${rig.settings.workflowIdPrefix}${fid} quiz`)
  }, PATIENCE)
  await launcher.cancel(fid, 'ada')
})

test('a run of many waits continues as new again and again, and loses nothing by it', async () => {
  const fid = await ask(12)
  const first = (await workflowOf(fid).describe()).runId
  let lid: string | undefined
  for (let question = 0; question < 12; question += 1) {
    lid = await asking(fid, lid)
    expect(await launcher.answer(fid, lid, { go: question % 2 === 0 }, 'bob')).toEqual({ outcome: 'accepted' })
  }
  const run = await rig.until(fid, ({ status }) => isEnded(status))
  expect(run.final?.value).toEqual({ answers: Array.from({ length: 12 }, (_, question) => question % 2 === 0) })
  expect((await workflowOf(fid).describe()).runId).not.toBe(first)
})

test(`a run of ${MODEL_CALLS} model calls of 50 kB keeps its history under 200 kB`, async () => {
  const { fid } = await launcher.start({ flow: 'talker', inputs: { calls: MODEL_CALLS, bytes: 50_000 }, user: 'ada', idempotencyKey: null })
  await vi.waitFor(async () => expect((await rig.store.runs.get(fid))?.status).toBe('finished'), { timeout: 120_000, interval: 100 })
  const { historySize } = await workflowOf(fid).describe()
  expect(Number(historySize)).toBeGreaterThan(0)
  expect(Number(historySize)).toBeLessThan(200_000)
})
