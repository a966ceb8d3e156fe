import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isEnded, must, type Json } from '@koco/core'
import type { Launcher } from '@koco/flow'
import { createTemporalLauncher } from '../client/launcher.ts'
import { historyFlows } from './flows.ts'
import { openRig, type TemporalRig } from './open-launcher.ts'

// Needs the temporal CLI on the PATH. `node record-histories.ts <Temporal address> <Redis address> [version]`: makes a run of each shape and stores its workflow's history under fixtures/histories, unless it is there.
const HISTORIES = new URL('../../fixtures/histories/', import.meta.url)
const [, , temporal = '127.0.0.1:7233', redis = 'redis://127.0.0.1:6379', version = 'v1'] = process.argv
const CHECKOUT = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '')

type Shape = {
  readonly flow: string
  readonly inputs?: Json
  readonly historyMax?: number
  /** Records the history of the run's first child in place of its own. */
  readonly ofChild?: true
  /** Records the last of the workflows of which the run was made, in place of the first. */
  readonly ofLast?: true
  live?(fid: string, rig: TemporalRig, launcher: Launcher): Promise<unknown>
}

const shapes: Readonly<Record<string, Shape>> = {
  plain: { flow: 'plain' },
  failed: { flow: 'fails' },
  'timed-out': { flow: 'limited' },
  'timed-out-closing': { flow: 'limited', ofLast: true },
  slept: { flow: 'sleeps' },
  children: { flow: 'parent' },
  child: { flow: 'parent', ofChild: true },
  'parent-cancelled': {
    flow: 'parent-of-quiz',
    async live(fid, rig, launcher) {
      await status(rig, fid, 'awaiting')
      await launcher.cancel(fid, 'ada')
    },
  },
  'parent-continued-as-new': {
    flow: 'parent-of-quiz',
    historyMax: 5,
    async live(fid, rig, launcher) {
      await status(rig, fid, 'awaiting')
      const [child] = await rig.store.runs.children(fid, null, 1)
      const asked = must(child, 'the child').fid
      await launcher.pause(fid, 'ada')
      await status(rig, fid, 'paused')
      await launcher.resume(fid, 'ada')
      await answerAll(1, async (lid) => launcher.answer(asked, lid, { go: true }, 'ada'), asked, rig)
    },
  },
  retried: {
    flow: 'quiz',
    ofLast: true,
    inputs: { questions: 1 },
    async live(fid, rig, launcher) {
      await status(rig, fid, 'awaiting')
      await launcher.cancel(fid, 'ada')
      await status(rig, fid, 'cancelled')
      await launcher.retry(fid, 'ada')
      await answerAll(1, async (lid) => launcher.answer(fid, lid, { go: true }, 'ada'), fid, rig)
    },
  },
  answered: {
    flow: 'quiz',
    inputs: { questions: 2 },
    live: (fid, rig, launcher) => answerAll(2, async (lid) => launcher.answer(fid, lid, { go: true }, 'ada'), fid, rig),
  },
  updated: {
    flow: 'quiz',
    inputs: { questions: 1 },
    live: (fid, rig) => answerAll(1, (lid) => workflow(rig, fid).executeUpdate('answer', { args: [{ lid, answer: { go: true } }] }), fid, rig),
  },
  'continued-as-new': {
    flow: 'quiz',
    inputs: { questions: 6 },
    historyMax: 20,
    live: (fid, rig, launcher) => answerAll(6, async (lid) => launcher.answer(fid, lid, { go: true }, 'ada'), fid, rig),
  },
  paused: {
    flow: 'quiz',
    inputs: { questions: 1 },
    async live(fid, rig, launcher) {
      await status(rig, fid, 'awaiting')
      await launcher.pause(fid, 'ada')
      await status(rig, fid, 'paused')
      await launcher.resume(fid, 'ada')
      await answerAll(1, async (lid) => launcher.answer(fid, lid, { go: true }, 'ada'), fid, rig)
    },
  },
  cancelled: {
    flow: 'quiz',
    inputs: { questions: 1 },
    async live(fid, rig) {
      await status(rig, fid, 'awaiting')
      await workflow(rig, fid).signal('cancel_workflow')
    },
  },
  released: {
    flow: 'pages',
    async live(fid, rig) {
      await status(rig, fid, 'running')
      const next = await startWorker(rig)
      await worker.close()
      worker = next
    },
  },
  'cancelled-at-work': {
    flow: 'works',
    async live(fid, rig, launcher) {
      await status(rig, fid, 'running')
      await launcher.cancel(fid, 'ada')
    },
  },
}

const workflow = (rig: TemporalRig, fid: string) => rig.server.client.workflow.getHandle(`${rig.settings.workflowIdPrefix}${fid}`)

async function status(rig: TemporalRig, fid: string, wanted: string): Promise<void> {
  await rig.until(fid, (run) => run.status === wanted)
}

async function answerAll(times: number, answer: (lid: string) => Promise<unknown>, fid: string, rig: TemporalRig): Promise<void> {
  const answered = new Set<string>()
  while (answered.size < times) {
    await delay(20)
    const run = await rig.store.runs.get(fid)
    const lock = (await rig.store.locks.list({ fid, limit: 100 })).items.find(({ lid, status: is }) => is === 'open' && !answered.has(lid))
    if (!lock || run?.status !== 'awaiting') continue
    await answer(lock.lid)
    answered.add(lock.lid)
  }
}

async function record(name: string, shape: Shape, rig: TemporalRig): Promise<void> {
  const file = new URL(`${name}-${version}.json`, HISTORIES)
  if (existsSync(file)) return
  const launcher = createTemporalLauncher({ ...rig, historyMax: shape.historyMax ?? 8000 })
  const { fid } = await launcher.start({ flow: shape.flow, inputs: shape.inputs ?? {}, user: 'ada', idempotencyKey: null })
  const first = (await workflow(rig, fid).describe()).runId
  await shape.live?.(fid, rig, launcher)
  await rig.until(fid, (run) => isEnded(run.status))
  await workflow(rig, fid)
    .result()
    .catch(() => undefined)
  const [child] = shape.ofChild ? await rig.store.runs.children(fid, null, 1) : []
  const shown = child?.fid ?? fid
  const runId = child !== undefined || shape.ofLast ? (await workflow(rig, shown).describe()).runId : first
  const which = ['--workflow-id', `${rig.settings.workflowIdPrefix}${shown}`, '--run-id', runId]
  const { stdout } = await promisify(execFile)('temporal', ['workflow', 'show', ...which, '--address', temporal, '--output', 'json'])
  // Stack traces tell where the checkout lies; that is nobody's business.
  await writeFile(file, `${JSON.stringify(JSON.parse(stdout)).replaceAll(CHECKOUT, '/koco')}\n`)
  await launcher.close(0)
}

const rig = await openRig({ temporal, redis })
await mkdir(HISTORIES, { recursive: true })
const startWorker = (on: TemporalRig) => on.startWorker(historyFlows(), { limits: { idleMs: 50 }, graceMs: 5000 })
let worker = await startWorker(rig)
for (const [name, shape] of Object.entries(shapes)) await record(name, shape, rig)
await rig.close()
