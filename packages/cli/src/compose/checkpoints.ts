import { resolve } from 'node:path'
import type { BlobStore, CompressionLevel } from '@koco/blobs'
import { createCheckpointManager, type CheckpointManager } from '@koco/checkpoints'
import { createChatSessions } from '@koco/panel'
import type { Workspaces } from '@koco/flow'
import type { ExecutionStore } from '@koco/storage'
import type { Logger } from 'pino'
import type { Settings } from '../settings/schema.ts'

/** How often a process looks for what others have left, or enabled. */
const LOOK_MS = 30_000
const COLLECT_MS = 6 * 3_600_000

/** What checkpoints are made with. `alsoHeld`: what a collection must leave to others. */
export type CheckpointParts = {
  readonly store: ExecutionStore
  readonly blobs: BlobStore
  readonly alsoHeld: () => Promise<Iterable<string>>
  readonly workspaces: Workspaces
  readonly log: Logger
}

/** Opens the checkpoints of this installation; what nobody holds is taken away from time to time, by one of the processes. */
export async function openCheckpoints(
  settings: Settings,
  cwd: string,
  { store, blobs, alsoHeld, workspaces, log }: CheckpointParts,
  opened: (() => Promise<void>)[],
): Promise<CheckpointManager> {
  const part = log.child({ part: 'checkpoints' })
  const manager = createCheckpointManager({
    dir: resolve(cwd, settings.checkpointDir),
    blobs,
    alsoHeld,
    store: store.checkpoints,
    sessions: createChatSessions({ store, workspaces, clock: Date.now }),
    maxCheckpoints: settings.checkpointMax,
    compressionLevel: settings.checkpointCompression as CompressionLevel,
    autoCheckpointIntervalS: settings.checkpointInterval,
    checkpointOnError: settings.checkpointOnError === 'on',
    exclusive: (name) => store.exclusive(name),
    onProblem: (session, error) => part.warn({ err: error, session }, 'a checkpoint could not be made or restored by itself; it is tried again'),
  })
  await resume(manager, part)
  const looking = setInterval(() => void resume(manager, part), LOOK_MS)
  looking.unref()
  opened.push(
    () => manager.close(),
    async () => clearInterval(looking),
    keepCollecting(manager, store, part),
  )
  return manager
}

/** What cannot be taken up now is met again at the next look. */
async function resume(manager: CheckpointManager, log: Logger): Promise<void> {
  await manager.resume().catch((error: unknown) => log.warn({ err: error }, 'what was left of checkpoints could not be looked at; it is looked at again'))
}

/** Collects while the process lives; gives the function that ends it when nothing is under way. */
function keepCollecting(manager: CheckpointManager, store: ExecutionStore, log: Logger): () => Promise<void> {
  let working: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    working = collect(manager, store, log)
  }, COLLECT_MS)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await working
  }
}

async function collect(manager: CheckpointManager, store: ExecutionStore, log: Logger): Promise<void> {
  try {
    const giveBack = await store.exclusive('collect-checkpoints')
    if (!giveBack) return
    try {
      const { removed, bytes } = await manager.gc()
      if (removed > 0) log.info({ removed, bytes }, `${removed} contents that neither a checkpoint nor a run holds were taken away`)
    } finally {
      await giveBack()
    }
  } catch (error) {
    // What is left is met again by the next round.
    log.warn({ err: error }, 'what nobody holds could not be taken away; the next round tries again')
  }
}
