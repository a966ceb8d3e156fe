// Goal: a restore in place of a real conversation that is cut off between any two of its commands is finished by whoever comes next, or put back. Method: a manager whose sessions fail at the nth command, over the real
// store and a folder, then a healthy one.
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFolderBlobs } from '@koco/blobs'
import { createCheckpointManager, type CheckpointManager } from '@koco/checkpoints'
import { RefusedError } from '@koco/core'
import { Workspaces } from '@koco/flow'
import { openExecutionStore, type ExecutionStore } from '@koco/storage'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createChatSessions } from './chat-sessions.ts'

let dir: string
let store: ExecutionStore
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'koco-in-place-'))
  store = await openExecutionStore({ dir: join(dir, 'execution'), migrate: true })
})
afterAll(async () => {
  await store.close()
  await rm(dir, { recursive: true })
})

/** A manager over the stores; its nth command to a session fails so. */
function manager(failing = 0, error?: Error): CheckpointManager {
  let commands = 0
  const sessions: ExecutionStore['sessions'] = {
    ...store.sessions,
    change: (...args) => (++commands === failing && error ? Promise.reject(error) : store.sessions.change(...args)),
  }
  const workspaces = new Workspaces(join(dir, 'workspaces'))
  return createCheckpointManager({
    dir: join(dir, 'manifests'),
    blobs: createFolderBlobs({ dir: join(dir, 'blobs') }),
    store: store.checkpoints,
    sessions: createChatSessions({ store: { ...store, sessions }, workspaces, clock: Date.now }),
    exclusive: (name) => store.exclusive(name),
  })
}

const plan = (id: string): string => join(dir, 'workspaces/ada', id, 'plan.md')
const now = async (id: string): Promise<unknown> => {
  const found = await store.sessions.read(id)
  return { title: found?.session.title, said: found?.messages.map(({ content }) => content), plan: await readFile(plan(id), 'utf8') }
}

/** A session with a checkpoint, that went on since: told other things, called something else, its file changed. */
async function goneOn(): Promise<{ readonly id: string; readonly checkpoint: string; readonly kept: unknown; readonly since: unknown }> {
  const id = randomBytes(6).toString('hex')
  const messages = ['one', 'two', 'three'].map((content, i) => ({ id: `m${i}`, role: 'user', content }))
  await store.sessions.create({ id, user: 'ada', at: 1, title: 'A trip', messages })
  await mkdir(join(plan(id), '..'), { recursive: true })
  await writeFile(plan(id), 'to Lisbon')
  const kept = await now(id)
  const { id: checkpoint } = await manager().create(id)
  await store.sessions.change(id, { do: 'truncate', keep: 1 }, { at: 2 })
  await store.sessions.change(id, { do: 'append', messages: [{ id: 'other', role: 'user', content: 'no, to Porto' }] }, { at: 2 })
  await store.sessions.change(id, { do: 'label', labels: { title: 'Another trip' } }, { at: 2 })
  await writeFile(plan(id), 'to Porto')
  return { id, checkpoint, kept, since: await now(id) }
}

test.each([1, 2, 3])('cut off at command %i, the next look finishes it', async (nth) => {
  const { id, checkpoint, kept } = await goneOn()
  await expect(manager(nth, new Error('the process is gone')).restore(checkpoint, { inPlace: true })).rejects.toThrow('the process is gone')
  expect(await now(id)).not.toEqual(kept)
  expect(await store.checkpoints.tasks('restore')).toHaveLength(1)
  await manager().resume()
  expect([await now(id), await store.checkpoints.tasks('restore')]).toEqual([kept, []])
})

test.each([1, 2, 3])('refused at command %i, everything is put back as it was', async (nth) => {
  const { id, checkpoint, since } = await goneOn()
  const refusal = new RefusedError('Not this one.', { code: 'session_damaged' })
  await expect(manager(nth, refusal).restore(checkpoint, { inPlace: true })).rejects.toBe(refusal)
  expect([await now(id), await store.checkpoints.tasks('restore')]).toEqual([since, []])
})

test('a session that is gone since has nothing to finish, and one at work is waited for', async () => {
  const { id, checkpoint, kept } = await goneOn()
  await expect(manager(1, new Error('gone')).restore(checkpoint, { inPlace: true })).rejects.toThrow('gone')
  const begun = await store.sessions.change(
    id,
    { do: 'start-turn', kind: 'chat', fid: 'a'.repeat(24), message: { id: 'asks', role: 'user', content: 'hm' } },
    { at: 3 },
  )
  expect(begun.outcome).toBe('done')
  await manager().resume()
  expect(await store.checkpoints.tasks('restore')).toHaveLength(1)
  await store.sessions.change(id, { do: 'abandon-turn', fid: 'a'.repeat(24) }, { at: 4 })
  await manager().resume()
  expect(await now(id)).toMatchObject({ said: (kept as { said: unknown }).said })

  const other = await goneOn()
  await expect(manager(1, new Error('gone')).restore(other.checkpoint, { inPlace: true })).rejects.toThrow('gone')
  await store.sessions.delete(other.id)
  await manager().resume()
  expect(await store.checkpoints.tasks('restore')).toEqual([])
})
