// Goal: runs under way survive a new version of koco: the workflow of today replays the history of every shape of run that was ever released. Method: stored histories, replayed without a server. A new
// shape is added by `node packages/temporal/src/testing/record-histories.ts <address of a Temporal server>`; histories that are there stay as they are.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
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
  await installRuntime(silent, false)
  dir = await mkdtemp(join(tmpdir(), 'koco-replay-'))
  codePath = await workflowBundle(dir, silent)
})

afterAll(() => rm(dir, { recursive: true, force: true }))

/** Replays under the id that the workflow had: those of its children follow from it. */
async function replay(code: string, history: unknown): Promise<void> {
  const { events } = history as { events: { workflowExecutionStartedEventAttributes?: { workflowId?: string } }[] }
  await Worker.runReplayHistory({ workflowBundle: { codePath: code } }, history, events[0]?.workflowExecutionStartedEventAttributes?.workflowId)
}

const names = (await readdir(HISTORIES)).filter((name) => name.endsWith('.json'))

test('there are histories of all ways in which a run can go', () => {
  const wanted = [
    'answered',
    'cancelled',
    'cancelled-at-work',
    'child',
    'children',
    'continued-as-new',
    'failed',
    'parent-cancelled',
    'parent-continued-as-new',
    'paused',
    'plain',
    'released',
    'retried',
    'slept',
    'timed-out',
    'timed-out-closing',
    'updated',
  ]
  expect(names.map((name) => name.replace(/-v\d+\.json$/, '')).filter((name, index, all) => all.indexOf(name) === index)).toEqual(
    expect.arrayContaining(wanted),
  )
})

test.each(names)('%s replays', async (name) => {
  await expect(replay(codePath, await readHistory(new URL(name, HISTORIES)))).resolves.toBeUndefined()
})

test('the bundle leads to the lines of the sources and does not hold them', async () => {
  const code = await readFile(codePath, 'utf8')
  const map = JSON.parse(Buffer.from(code.slice(code.lastIndexOf('base64,') + 'base64,'.length), 'base64').toString()) as Record<string, unknown>
  expect(map).toMatchObject({ mappings: expect.stringMatching(/./), sources: expect.arrayContaining([expect.stringContaining('agent.ts')]) })
  expect(map).not.toHaveProperty('sourcesContent')
})

test('a history that the workflow would not have made does not replay', async () => {
  const history = await readHistory<{ events: { activityTaskScheduledEventAttributes?: { activityType: { name: string } } }[] }>(
    new URL('plain-v1.json', HISTORIES),
  )
  for (const { activityTaskScheduledEventAttributes: scheduled } of history.events) if (scheduled) scheduled.activityType.name = 'another'
  await expect(replay(codePath, history)).rejects.toThrow(/[Nn]ondeterminism/)
})

// Changes as somebody might make them who does not think of runs under way.
test.each([
  ['a status that is no longer shown', 'control.show(result.status)', 'undefined', 'answered-v2'],
  ['children that are not started', /\(childrenStart, [\w.]+\)/, '(childrenStart, () => undefined)', 'children-v2'],
  ['a parent that is not told', /await [^;]*tellParent\)\([^)]*\)/, 'undefined', 'child-v2'],
  ['a run that fails in place of being timed out', /if \(run\.timesOut === true\)/, 'if (false)', 'timed-out-v3'],
  ['a run that is let go of and not taken up', /if \(result\.outcome === 'released'\)/, 'if (false)', 'released-v1'],
  ['a timer more', 'waiting = result;', 'waiting = result; await condition(() => false, 1000);', 'slept-v2'],
])('a changed workflow breaks on the history of a run that went that way: %s', async (_change, was, is, name) => {
  const changed = join(dir, `${name}.js`)
  const code = await readFile(codePath, 'utf8')
  const spoilt = code.replace(was, is)
  expect(spoilt).not.toBe(code)
  await writeFile(changed, spoilt)
  await expect(replay(changed, await readHistory(new URL(`${name}.json`, HISTORIES)))).rejects.toThrow(/[Nn]ondeterminism/)
})
