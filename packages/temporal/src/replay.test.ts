// Goal: runs under way survive a new version of koco: the workflow of today replays the history of every shape of run that was ever released. Method: stored histories, replayed without a server. A new
// shape is added by `node packages/temporal/src/testing/record-histories.ts <address of a Temporal server>`; histories that are there stay as they are.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from '@temporalio/worker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readHistory } from './testing/read-history.ts'
import { workflowBundle } from './worker/bundle.ts'
import { installRuntime } from './worker/runtime.ts'

const HISTORIES = new URL('../fixtures/histories/', import.meta.url)
const silent = (): void => undefined

let dir = ''
let codePath = ''

beforeAll(async () => {
  installRuntime(silent, null)
  dir = await mkdtemp(join(tmpdir(), 'koco-replay-'))
  codePath = await workflowBundle(dir, silent)
})

afterAll(() => rm(dir, { recursive: true, force: true }))

const names = (await readdir(HISTORIES)).filter((name) => name.endsWith('.json'))

test('there are histories of all ways in which a run can go', () => {
  const wanted = ['answered', 'cancelled', 'cancelled-at-work', 'children', 'continued-as-new', 'failed', 'paused', 'plain', 'slept', 'updated']
  expect(names.map((name) => name.replace(/-v\d+\.json$/, '')).filter((name, index, all) => all.indexOf(name) === index)).toEqual(
    expect.arrayContaining(wanted),
  )
})

test.each(names)('%s replays', async (name) => {
  const history = await readHistory(new URL(name, HISTORIES))
  await expect(Worker.runReplayHistory({ workflowBundle: { codePath } }, history)).resolves.toBeUndefined()
})

test('a history that the workflow would not have made does not replay', async () => {
  const history = (await readHistory(new URL('plain-v1.json', HISTORIES))) as {
    events: { activityTaskScheduledEventAttributes?: { activityType: { name: string } } }[]
  }
  for (const { activityTaskScheduledEventAttributes: scheduled } of history.events) if (scheduled) scheduled.activityType.name = 'another'
  await expect(Worker.runReplayHistory({ workflowBundle: { codePath } }, history)).rejects.toThrow(/[Nn]ondeterminism/)
})
