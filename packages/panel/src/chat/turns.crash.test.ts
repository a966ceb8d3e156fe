/*
 * Goal: kill -9 anywhere on the way of a turn into its transcript loses nothing, says nothing twice, and leaves no session held: also in the middle of an answer, whose turn is resumed.
 * Method: a child process says one thing, with another waiting, and kills itself at a named point (or is killed while the model holds its answer); a second process on the same folder must bring the session
 * to rest. The transcript and the runs are compared whole.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ORIGIN } from '@koco/core'
import { OpenAiServer } from '@koco/flow/testing'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'

const CHILD = fileURLToPath(new URL('../testing/turn-child.ts', import.meta.url))
const SESSION = '0123456789ab'

let dir: string
let model: OpenAiServer
let url: string
const children: ChildProcess[] = []

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'koco-turns-'))
  model = new OpenAiServer(() => [])
  model.otherwise = ({ messages }) => ({ say: [messages.at(-1)?.content === 'one' ? '1' : '2'] })
  url = `http://${await model.listen()}/v1`
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await model.close()
  await rm(dir, { recursive: true, force: true })
})

function start(...argv: string[]): ChildProcess {
  const child = spawn(process.execPath, [CHILD, dir, ...argv], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, KODO_LLM_URL: url, KODO_LLM_MODEL: 'tiny' },
  })
  children.push(child)
  return child
}

async function gone(child: ChildProcess): Promise<NodeJS.Signals | null> {
  if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once('exit', resolve))
  return child.signalCode
}

/** Starts a process that brings the session to rest, and gives what is stored then. */
async function comeToRest() {
  const child = start('wait', '')
  let rested = false
  if (child.stdout) for await (const line of createInterface({ input: child.stdout })) if ((rested = line === 'rest')) break
  expect(rested).toBe(true)
  child.kill('SIGKILL')
  await gone(child)
  const store = await createSqliteExecutionStore({ dir })
  try {
    const conversation = await store.sessions.read(SESSION)
    const { items: runs } = await store.runs.list({ limit: 10 })
    const events = await Promise.all(runs.map(async ({ fid }) => (await store.reader.read(fid, { after: ORIGIN, limit: 1000 })).records))
    return { conversation, runs, events }
  } finally {
    await store.close()
  }
}

test.each(['begun', 'launched', 'folded', 'ended', 'next begun'])('killed when a turn is %s, the talk goes on as if nothing had been', async (point) => {
  expect(await gone(start('say', point))).toBe('SIGKILL')
  const { conversation, runs } = await comeToRest()
  expect(conversation?.messages.map(({ content }) => content)).toEqual(['one', '1', 'two', '2'])
  expect(conversation?.session).toMatchObject({ turn: null, queued: 0, damaged: [] })
  expect(runs.map(({ status }) => status)).toEqual(['finished', 'finished'])
  expect(conversation?.uses).toHaveLength(2)
})

test('killed in the middle of an answer, the turn is resumed: the step is done again, its words are said once', async () => {
  model.script({ say: ['Half of an', 'swer'], hold: true })
  const child = start('say', '')
  await model.holding()
  child.kill('SIGKILL')
  await gone(child)
  const { conversation, runs, events } = await comeToRest()
  expect(conversation?.messages.map(({ content }) => content)).toEqual(['one', '1', 'two', '2'])
  expect(runs.map(({ status, attempt }) => `${status} ${attempt}`)).toEqual(['finished 1', 'finished 2'])
  expect(model.requests.map(({ messages }) => messages.at(-1)?.content)).toEqual(['one', 'one', 'two'])
  const tries = events[1]?.filter(({ kind }) => kind === 'attempt').map(({ data }) => (JSON.parse(data) as { reason: string }).reason)
  expect(tries).toEqual(['start', 'recover'])
})
