// Goal: whatever step a process dies at, checkpoints that were there are whole, the one that was being made is there whole or not at all, and what is left over goes with the next collection. Method: a child
// process is killed with -9 at the first step between two writes of an operation, then at the second, and so on until it gets through; after each another child looks the same place through (judge.ts).
import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Operation } from './place.ts'

const STEPS_MAX = 60

let prepared = ''
/** What the first session was at its checkpoint, and what it is. */
let states: readonly string[] = []
beforeAll(async () => {
  prepared = await mkdtemp(join(tmpdir(), 'koco-killed-'))
  const { stdout, stderr } = await runChild('crash-child.ts', prepared, 'prepare', '0')
  if (stderr !== '') throw new Error(stderr)
  states = (JSON.parse(stdout) as unknown[]).map((state) => JSON.stringify(state))
})
afterAll(async () => await rm(prepared, { recursive: true }))

test.for<[Operation, least: number]>([
  ['create', 8],
  ['update', 4],
  ['delete', 1],
  ['gc', 4],
  ['import', 8],
  ['restore', 1],
  ['in-place', 12],
])('killed at every step of %s, all that was there is there', { timeout: 240_000 }, async ([operation, least]) => {
  // Two at a time: most of it is the start of processes.
  for (let nth = 1; nth <= STEPS_MAX; nth += 2) {
    const [, second] = await Promise.all([killedAt(operation, nth), killedAt(operation, nth + 1)])
    if (second) continue
    expect(nth).toBeGreaterThanOrEqual(least)
    return
  }
  throw new Error(`${operation} never got through`)
})

/** Kills an operation at its nth step and judges what is left; false when it got through. */
async function killedAt(operation: Operation, nth: number): Promise<boolean> {
  const dir = await mkdtemp(join(tmpdir(), 'koco-killed-'))
  try {
    await cp(prepared, dir, { recursive: true, preserveTimestamps: true })
    const { signal, stdout, stderr } = await runChild('crash-child.ts', dir, operation, String(nth))
    if (signal === null) expect([stderr, stdout === '']).toEqual(['', false])
    else {
      expect(signal).toBe('SIGKILL')
      expect(await runChild('judge.ts', dir, operation, ...states), `after step ${nth}`).toEqual({ signal: null, stdout: '', stderr: '' })
    }
    return signal !== null
  } finally {
    await rm(dir, { recursive: true })
  }
}

function runChild(file: string, ...args: string[]): Promise<{ signal: string | null; stdout: string; stderr: string }> {
  const script = fileURLToPath(new URL(file, import.meta.url))
  const options = { timeout: 60_000 }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, ...args], options, (_error, stdout, stderr) => {
      resolve({ signal: child.signalCode, stdout: stdout.trim(), stderr: stderr.trim() })
    })
  })
}
