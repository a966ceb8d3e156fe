// Goal: kill -9 in the middle of a step loses nothing and does no finished step again. Method: a child process executes a run whose steps append to a file; it is killed in step 2 of 3, and a second
// process on the same folder must finish the run. The file tells how often each step was done.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { decodeEvent, ORIGIN } from '@koco/core'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'

const CHILD = fileURLToPath(new URL('../contract/crash-child.ts', import.meta.url))

let dir = ''
let child: ChildProcess | undefined
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'koco-kill-'))
})
afterEach(async () => {
  await killed()
  await rm(dir, { recursive: true, force: true })
})

/** Kills the child and waits until it is gone. */
async function killed(): Promise<void> {
  const dying = child
  child = undefined
  if (!dying || dying.exitCode !== null || dying.signalCode !== null) return
  const gone = new Promise((resolve) => dying.once('exit', resolve))
  dying.kill('SIGKILL')
  await gone
}

/** Starts a child and resolves with the first line that begins so. */
async function untilLine(mode: 'start' | 'continue', prefix: string): Promise<string> {
  const started = spawn(process.execPath, [CHILD, join(dir, 'data'), join(dir, 'ledger'), mode], { stdio: ['pipe', 'pipe', 'inherit'] })
  child = started
  for await (const line of createInterface({ input: started.stdout })) if (line.startsWith(prefix)) return line
  throw new Error(`the child ended before it said "${prefix}"`)
}

test('a run whose process is killed in step two is finished by the next process, step one done once', async () => {
  await untilLine('start', 'in step two')
  await killed()
  const fid = (await untilLine('continue', 'ended ')).slice('ended '.length)
  await killed()
  expect(await readFile(join(dir, 'ledger'), 'utf8')).toBe('one\ntwo\ntwo\nthree\n')
  const store = await createSqliteExecutionStore({ dir: join(dir, 'data') })
  const run = await store.runs.get(fid)
  expect(run).toMatchObject({ status: 'finished', attempt: 2, final: { type: 'json', value: [1, 4] } })
  const { records } = await store.reader.read(fid, { after: ORIGIN, limit: 1000 })
  const events = records.flatMap((record) => decodeEvent(fid, record) ?? [])
  expect(events.filter(({ kind }) => kind === 'result')).toHaveLength(1)
  expect(events.flatMap((event) => (event.kind === 'attempt' ? [event.data.reason] : []))).toEqual(['start', 'recover'])
  await store.close()
})
