import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { must } from '@koco/core'
import { createFolderBlobs, type CrashPoint } from '@koco/blobs'
import { openExecutionStore } from '@koco/storage'
import { filesIn } from '../contract/fixture.ts'
import { createCheckpointManager } from '../manager.ts'
import { StoredSessions } from './stored-sessions.ts'

/** What a child may be told to do; each begins where `prepare` ended. */
export type Operation = 'create' | 'update' | 'delete' | 'gc' | 'import' | 'restore' | 'in-place'

const SESSION = 'aaaaaaaaaaaa'
const OTHER = 'bbbbbbbbbbbb'
const LONG_AGO = new Date('2020-01-01')

/** The stores of a crash test below one folder, with two sessions that are the same in every process. */
export async function openPlace(dir: string, crash?: CrashPoint) {
  const store = await openExecutionStore({ dir: join(dir, 'execution'), migrate: true })
  const blobs = createFolderBlobs({ dir: join(dir, 'blobs'), ...(crash && { crash }) })
  const sessions = new StoredSessions(join(dir, 'sessions'), crash)
  if (sessions.all.size === 0) {
    await sessions.add({ id: SESSION })
    await sessions.add({ id: OTHER, texts: ['hello', 'Good day.', 'more'] })
  }
  const manager = createCheckpointManager({ dir: join(dir, 'manifests'), blobs, store: store.checkpoints, sessions, ...(crash && { crash }) })
  const archive = join(dir, 'archive.tar.gz')
  const first = async (): Promise<string> => must((await manager.list()).items.at(-1), 'the first checkpoint').id
  const operations: Readonly<Record<Operation, () => Promise<string>>> = {
    create: async () => (await manager.create(SESSION, { description: 'new', incremental: true })).id,
    update: async () => (await manager.update(await first(), { description: 'changed' })).id,
    delete: async () => String(await manager.delete(await first())),
    gc: async () => String((await manager.gc({ graceMs: 0 })).removed),
    import: async () => (await manager.importFrom(archive)).id,
    restore: async () => (await manager.restore(await first())).sessionId,
    'in-place': async () => (await manager.restore(await first(), { inPlace: true })).sessionId,
  }
  return {
    manager,
    blobs,
    /** What the first session is now: its files and what was said. */
    async state(): Promise<unknown> {
      const { workspace, messages, state } = must(sessions.all.get(SESSION), 'the session')
      return structuredClone({ files: await filesIn(workspace), messages, state })
    },
    tasks: async () => await store.checkpoints.tasks('restore'),
    run: async (operation: Operation) => await operations[operation](),
    /** Two checkpoints that share a file, of sessions that went on since, an archive of a third that is gone, and its blobs as orphans, old. Gives what the first session was at its checkpoint, and what it is. */
    async prepare(): Promise<string> {
      await sessions.write(SESSION, 'shared', 'the same in both')
      await sessions.write(OTHER, 'shared', 'the same in both')
      await sessions.write(OTHER, 'other', 'of the other')
      await manager.create(SESSION, { description: 'first' })
      sessions.save()
      const target = await this.state()
      await manager.create(OTHER, { description: 'second' })
      await sessions.write(SESSION, 'gone', 'only in the archive')
      const third = await manager.create(SESSION, { description: 'third' })
      await manager.exportTo(third.id, archive)
      await manager.delete(third.id)
      await sessions.write(SESSION, 'a', 'new since')
      await sessions.write(SESSION, 'shared', 'changed since')
      await sessions.write(SESSION, 'deep/er/file', 'new too')
      await sessions.write(OTHER, 'kept', 'x')
      sessions.say(SESSION, 'said since')
      sessions.say(SESSION, 'and this')
      sessions.save()
      await ageAll(dir)
      return JSON.stringify([target, await this.state()])
    },
    async close() {
      await manager.close()
      await blobs.close()
      await store.close()
    },
  }
}

/** Makes everything in the content store and the manifests old: nobody is at work there. */
export async function ageAll(dir: string): Promise<void> {
  for (const folder of ['blobs', 'manifests']) {
    await mkdir(join(dir, folder), { recursive: true })
    for (const entry of await readdir(join(dir, folder), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), LONG_AGO, LONG_AGO)
    }
  }
}

/** A leftover that is nobody's. */
export async function leaveOrphan(dir: string): Promise<void> {
  await writeFile(join(dir, 'manifests', `.ck${'0'.repeat(24)}-part`), 'half')
}
