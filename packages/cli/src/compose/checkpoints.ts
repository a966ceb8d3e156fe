import { resolve } from 'node:path'
import { createFolderBlobs, createS3Blobs, type BlobStore, type CompressionLevel } from '@koco/blobs'
import { createCheckpointManager, type CheckpointManager } from '@koco/checkpoints'
import { createChatSessions } from '@koco/panel'
import type { Workspaces } from '@koco/flow'
import type { ExecutionStore } from '@koco/storage'
import type { Logger } from 'pino'
import type { Settings } from '../settings/schema.ts'

const COLLECT_MS = 6 * 3_600_000

/** The content store that the settings name: a bucket, else a folder beside the manifests. */
export function openBlobs(settings: Settings, cwd: string): BlobStore {
  if (settings.blobStore === undefined) return createFolderBlobs({ dir: resolve(cwd, settings.checkpointDir, 'content') })
  const { host: bucket, pathname } = new URL(settings.blobStore)
  const prefix = pathname.replace(/^\/+/, '').replace(/\/*$/, (end) => (end === '' && pathname.length <= 1 ? '' : '/'))
  const { s3Endpoint: endpoint, s3Region: region, s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = settings
  const keys = accessKeyId !== undefined && secretAccessKey !== undefined ? { accessKeyId, secretAccessKey } : {}
  return createS3Blobs({ bucket, prefix, region, ...(endpoint !== undefined && { endpoint }), ...keys })
}

/** What checkpoints are made with. */
export type CheckpointParts = { readonly store: ExecutionStore; readonly workspaces: Workspaces; readonly log: Logger }

/** Opens the checkpoints of this installation; what nobody holds is taken away from time to time, by one of the processes. */
export function openCheckpoints(
  settings: Settings,
  cwd: string,
  { store, workspaces, log }: CheckpointParts,
  opened: (() => Promise<void>)[],
): CheckpointManager {
  const blobs = openBlobs(settings, cwd)
  opened.push(() => blobs.close())
  const part = log.child({ part: 'checkpoints' })
  const manager = createCheckpointManager({
    dir: resolve(cwd, settings.checkpointDir),
    blobs,
    store: store.checkpoints,
    sessions: createChatSessions({ store, workspaces, clock: Date.now }),
    maxCheckpoints: settings.checkpointMax,
    compressionLevel: settings.checkpointCompression as CompressionLevel,
    autoCheckpointIntervalS: settings.checkpointInterval,
    checkpointOnError: settings.checkpointOnError === 'on',
    onProblem: (session, error) => part.warn({ err: error, session }, 'an automatic checkpoint could not be made; the next one is tried all the same'),
  })
  opened.push(() => manager.close(), keepCollecting(manager, store, part))
  return manager
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
      if (removed > 0) log.info({ removed, bytes }, `${removed} contents that no checkpoint holds were taken away`)
    } finally {
      await giveBack()
    }
  } catch (error) {
    // What is left is met again by the next round.
    log.warn({ err: error }, 'what no checkpoint holds could not be taken away; the next round tries again')
  }
}
