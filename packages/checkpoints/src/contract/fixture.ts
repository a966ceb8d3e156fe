import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlobStore } from '@koco/blobs'
import type { CheckpointStore } from '@koco/storage'
import { createCheckpointManager, type CheckpointManager, type CheckpointManagerOptions } from '../manager.ts'
import { TestSessions } from './sessions.ts'

/** The two stores that a manager stands on, over fresh data. */
export type Stores = { readonly blobs: BlobStore; readonly store: CheckpointStore; dispose(): Promise<void> }

/** A manager with everything around it. `now`: its clock, ms since 1970, a little on with each look. */
export type Fixture = Stores & {
  readonly dir: string
  readonly sessions: TestSessions
  readonly manager: CheckpointManager
  now: number
  another(options?: Partial<CheckpointManagerOptions>): CheckpointManager
}

/** Opens a fixture. */
export async function openFixture(open: () => Promise<Stores>): Promise<Fixture> {
  const stores = await open()
  const dir = await mkdtemp(join(tmpdir(), 'koco-checkpoints-'))
  const sessions = await TestSessions.open()
  const another = (options: Partial<CheckpointManagerOptions> = {}) =>
    createCheckpointManager({ dir, blobs: stores.blobs, store: stores.store, sessions, clock: () => fixture.now++, ...options })
  const fixture: Fixture = {
    blobs: stores.blobs,
    store: stores.store,
    dir,
    sessions,
    now: Date.now(),
    manager: createCheckpointManager({ dir, blobs: stores.blobs, store: stores.store, sessions, clock: () => fixture.now++ }),
    another,
    async dispose() {
      await fixture.manager.close()
      await stores.dispose()
      await sessions.dispose()
      await rm(dir, { recursive: true, force: true })
    },
  }
  return fixture
}

/** All files below a folder, with their texts. */
export async function filesIn(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    found[path.slice(folder.length + 1)] = await readFile(path, 'utf8')
  }
  return found
}
