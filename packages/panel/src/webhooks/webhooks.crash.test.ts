/*
 * Goal: a panel killed after a notice has arrived and before that is recorded sends it again, under the same webhook-id; nothing that is stored is ever left untold.
 * Method: a child process stores a run's end and then sends; the receiver kills it with -9 before it answers. A second process on the same folder sends what waits.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Receiver } from '../testing/receiver.ts'

const CHILD = fileURLToPath(new URL('../testing/webhook-child.ts', import.meta.url))

let dir: string
let receiver: Receiver
const children: ChildProcess[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'koco-webhooks-'))
  receiver = await Receiver.listen()
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await receiver.close()
  await rm(dir, { recursive: true, force: true })
})

function start(...argv: string[]): ChildProcess {
  const child = spawn(process.execPath, [CHILD, dir, ...argv], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  return child
}

const gone = (child: ChildProcess): Promise<NodeJS.Signals | null> =>
  child.signalCode !== null || child.exitCode !== null
    ? Promise.resolve(child.signalCode)
    : new Promise((done) => child.once('exit', (_, signal) => done(signal)))

test('killed between the arrival of a notice and its record, it is sent again under the same id', async () => {
  const ids: string[] = []
  receiver.answer = ({ id }) => {
    ids.push(id)
    if (ids.length > 1) return { status: 204 }
    first.kill('SIGKILL')
    return 'never'
  }
  const first = start('make', receiver.url)
  expect(await gone(first)).toBe('SIGKILL')
  expect(ids).toHaveLength(1)
  const second = start('send')
  if (second.stdout) for await (const line of createInterface({ input: second.stdout })) expect(line).toBe('delivered')
  expect(ids.length).toBeGreaterThan(1)
  expect(new Set(ids).size).toBe(1)
  second.kill('SIGKILL')
  await gone(second)
  const store = await createSqliteExecutionStore({ dir: join(dir, 'execution') })
  const { items } = await store.webhooks.deliveries('wh_1', { limit: 10 })
  await store.close()
  expect(items).toEqual([expect.objectContaining({ id: ids[0], type: 'run.finished', state: 'delivered', lastStatus: 204 })])
})
