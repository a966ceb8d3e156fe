// Goal: workers start the workflows of runs, and whatever becomes of the one that is asked, each run starts, once. Method: the launcher over real servers, with workers that do it, refuse, keep silent or are gone.
import { hostname } from 'node:os'
import { isEnded, type Json } from '@koco/core'
import { defineFlow, flowEntry, type Launcher } from '@koco/flow'
import { ofThisWorker } from '@koco/testing'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { z } from 'zod'
import { createTemporalLauncher } from './client/launcher.ts'
import { openRig, type TemporalRig } from './testing/open-launcher.ts'

const FLOW = defineFlow({ name: 'greet', summary: 'Greets.', inputs: z.object({}), run: () => Promise.resolve('hello') })

let rig: TemporalRig
let launcher: Launcher

beforeEach(async () => {
  rig = await openRig({ temporal: ofThisWorker(inject('temporalAddresses')), redis: inject('redisUrl') })
  launcher = createTemporalLauncher(rig)
})

afterEach(() => rig.close())

const start = async (): Promise<string> => (await launcher.start({ flow: 'greet', inputs: {}, user: 'ada', idempotencyKey: null })).fid

/** Registers a worker that serves the flow by its word alone, beside those that do. */
async function pretend(
  id: string,
  { seenAt = Date.now() / 1000, version = null }: { readonly seenAt?: number; readonly version?: string | null } = {},
): Promise<void> {
  await rig.store.flows.heartbeat({ id, launcher: 'temporal', host: hostname(), pid: process.pid, seenAt }, [{ ...flowEntry(FLOW), version }])
}

/** The run finished; whether the server gave its first task with the answer to the start. */
async function startedEagerly(fid: string): Promise<boolean> {
  const run = await rig.until(fid, ({ status }) => isEnded(status))
  expect([run.status, run.attempt]).toEqual(['finished', 1])
  const handle = rig.server.client.workflow.getHandle(`${rig.settings.workflowIdPrefix}${fid}`)
  const { events } = await handle.fetchHistory()
  return events?.[0]?.workflowExecutionStartedEventAttributes?.eagerExecutionAccepted === true
}

test('a worker that serves the flow starts the run, and has its first task with the answer', async () => {
  await rig.startWorker([FLOW])
  const asked = vi.spyOn(rig.transport.handover, 'ask')
  expect(await startedEagerly(await start())).toBe(true)
  expect(asked).toHaveBeenCalledOnce()
})

test.for<[string, ((request: Json) => Promise<Json>) | null]>([
  ['refuses', () => Promise.reject(new Error('not today'))],
  ['answers what nobody understands', () => Promise.resolve('well')],
  ['keeps silent', () => new Promise(() => undefined)],
  ['is gone', null],
])('a worker that %s: the run starts all the same, and it is not asked again at once', async ([, take]) => {
  await pretend('mute')
  const end = take === null ? undefined : await rig.transport.handover.serve('mute', take)
  const asked = vi.spyOn(rig.transport.handover, 'ask')
  const runs = [await start(), await start()]
  expect(asked).toHaveBeenCalledOnce()
  await rig.startWorker([FLOW])
  for (const fid of runs) expect(await startedEagerly(fid)).toBe(false)
  end?.()
})

test('a worker that starts the run and cannot say so: it is started once', async () => {
  const late = Promise.withResolvers<void>()
  const worker = await rig.startWorker([FLOW])
  const ask = rig.transport.handover.ask.bind(rig.transport.handover)
  vi.spyOn(rig.transport.handover, 'ask').mockImplementationOnce(async (name, request, ms) => {
    expect(name).toBe(worker.id)
    expect(await ask(name, request, ms)).toEqual({ started: true })
    late.resolve()
    return undefined
  })
  const fid = await start()
  await late.promise
  expect(await startedEagerly(fid)).toBe(true)
})

test('a worker of another version is not asked', async () => {
  await pretend('old', { version: '0' })
  await pretend('new')
  const asked = vi.spyOn(rig.transport.handover, 'ask')
  for (let n = 0; n < 3; n += 1) await start()
  expect(asked.mock.calls.map(([name]) => name)).toEqual(['new'])
})

test('a worker that was not heard of for long is not asked', async () => {
  await pretend('lost', { seenAt: Date.now() / 1000 - 600 })
  const asked = vi.spyOn(rig.transport.handover, 'ask')
  const fid = await start()
  expect(asked).not.toHaveBeenCalled()
  await rig.startWorker([FLOW])
  expect(await startedEagerly(fid)).toBe(false)
})
