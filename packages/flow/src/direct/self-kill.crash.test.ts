// Goal: a run that kills its process, natively and not by an error, rests longer and longer, and ends with a sentence at its limit, or goes on when the cause is gone. Method: a child process executes the run, which
// kills it with SIGKILL from within; the next process on the same folder takes over, as a supervisor would start it.
import { spawn } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeEvent, must, ORIGIN, type EventData } from '@koco/core'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'

const CHILD = fileURLToPath(new URL('../contract/self-killing-child.ts', import.meta.url))
const DEADLINE_MS = 60_000

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'koco-self-kill-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

/** One process: resolves with how it ended, by the signal that killed it or with its code. */
function live(mode: 'start' | 'continue', { folder = 'data', recoveries = 100 } = {}): Promise<string | number | null> {
  const argv = [CHILD, join(dir, folder), mode, String(recoveries), join(dir, 'cure')]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'inherit'], timeout: DEADLINE_MS })
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
}

/** The run, and what its timeline says of its rests. */
async function told(folder: string) {
  const store = await createSqliteExecutionStore({ dir: join(dir, folder) })
  const { fid } = must((await store.runs.list({ limit: 1 })).items[0], 'the run')
  const run = must(await store.runs.get(fid), 'the run')
  const { records } = await store.reader.read(fid, { after: ORIGIN, limit: 1000 })
  await store.close()
  const events = records.flatMap((record) => decodeEvent(fid, record) ?? [])
  const rests = events.flatMap((event) =>
    event.kind === 'status' && event.data.deaths !== undefined ? [{ ...event.data, s: restOf(event.data, event.ts) }] : [],
  )
  return { run, rests, ones: events.filter((event) => event.kind === 'step' && event.data.phase === 'finished' && event.step === 'one').length }
}

const restOf = ({ until }: EventData['status'], ts: number): number => Math.round((until ?? ts) - ts)

test('it rests longer each time and goes on once the cause is gone; at its limit it ends with the step that kills', { timeout: 6 * DEADLINE_MS }, async () => {
  const ends = [await live('start'), await live('continue'), await live('continue')]
  await cp(join(dir, 'data'), join(dir, 'limited'), { recursive: true })
  ends.push(await live('continue', { folder: 'limited', recoveries: 2 }))
  const limited = await told('limited')
  expect(limited.run).toMatchObject({ status: 'error', deaths: 0, wakeAt: null, error: { code: 'crash_loop' } })
  expect(limited.run.error?.message).toMatch(/^3 tries one after the other .*, last in step "parse", /)

  ends.push(await live('continue'))
  await writeFile(join(dir, 'cure'), '')
  ends.push(await live('continue'))
  expect(ends).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL', 0, 'SIGKILL', 0])
  const { run, rests, ones } = await told('data')
  expect(run).toMatchObject({ status: 'finished', final: { value: 'alive' }, deaths: 0 })
  expect(rests.map(({ deaths, s }) => [deaths, s])).toEqual([
    [3, 1],
    [4, 2],
  ])
  expect(rests[0]?.reason).toContain('last in step "parse"')
  expect(ones).toBe(1)
})
