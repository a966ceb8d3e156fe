import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createFolderBlobs, type BlobStore } from '@koco/blobs'
import { UnavailableError } from '@koco/core'
import { createBlobContents, createBlobFiles, type Contents, type FileContents, type FileFolder } from '@koco/flow'
import { contentsInUse, type ExecutionStore } from '@koco/storage'
import type { ConsumerStatus } from '@koco/transport'
import type { Settings } from '../settings/schema.ts'
import { contentsInPanelFolder, markFolder } from './panel-folder.ts'

/** An event that waits for longer may name content that no pin protects any more. */
const WAITING_MS_MAX = 5 * 60_000

/** The content store of this installation, and what runs keep in it. */
export type OpenContents = { readonly blobs: BlobStore; readonly contents: Contents; readonly fileContents: FileContents }

/**
 * Opens all; `opened` takes what is to be closed. Runs put their large results and files there when every process that may need them sees the place: it is named by BLOB_STORE, or the runs are in SQLite, which has its
 * processes on one host.
 */
export async function openContents(settings: Settings, cwd: string, opened: (() => Promise<void>)[]): Promise<OpenContents> {
  const blobs = await openBlobs(settings, cwd)
  const shared = isShared(settings)
  const contents = createBlobContents(blobs, { shared })
  const fileContents = createBlobFiles(blobs, { shared })
  opened.push(
    () => blobs.close(),
    () => contents.close(),
    () => fileContents.close(),
  )
  return { blobs, contents, fileContents }
}

/** Opens all for a worker, which may be on another host than the panel: there nothing is kept in a folder that is not the panel's. */
export async function openWorkerContents(settings: Settings, cwd: string, opened: (() => Promise<void>)[]): Promise<Omit<OpenContents, 'blobs'>> {
  const { contents, fileContents } = await openContents(settings, cwd, opened)
  const dir = contentFolder(settings, cwd)
  return { contents: dir === null || !isShared(settings) ? contents : contentsInPanelFolder(contents, dir), fileContents }
}

/** Tells workers which folders are the panel's. */
export async function markPanelFolders(settings: Settings, cwd: string): Promise<void> {
  const content = isShared(settings) ? contentFolder(settings, cwd) : null
  for (const dir of [resolve(cwd, settings.uploadDir), content]) if (dir !== null) await markFolder(dir)
}

/** The folder in which content is kept; null for a bucket. */
export function contentFolder({ blobStore, checkpointDir }: Pick<Settings, 'blobStore' | 'checkpointDir'>, cwd: string): string | null {
  if (blobStore === undefined) return resolve(cwd, checkpointDir, 'content')
  return blobStore.startsWith('file:') ? fileURLToPath(blobStore) : null
}

/**
 * What a collection must leave to runs and their files. UnavailableError `events_waiting` while events wait to be stored that may name more than the store knows, `files_elsewhere` when not all files can be
 * looked through.
 */
export async function heldByRuns(
  store: ExecutionStore,
  files: Pick<FileFolder, 'contentsInUse'>,
  consumers: () => Promise<readonly ConsumerStatus[]>,
): Promise<ReadonlySet<string>> {
  const late = (await consumers()).find(({ name, lag, oldestPendingMs }) => lag > 0 && (name === '' || (oldestPendingMs ?? 0) > WAITING_MS_MAX))
  if (late) {
    const why =
      late.name === ''
        ? 'nobody carries them into the store'
        : `${late.name} has not stored the oldest for ${Math.round((late.oldestPendingMs ?? 0) / 60_000)} minutes`
    throw new UnavailableError(
      `${late.lag} events wait (${why}), and what they name is not known yet. Nothing was taken away; try again when they are stored.`,
      {
        code: 'events_waiting',
      },
    )
  }
  return new Set([...(await contentsInUse(store)), ...(await files.contentsInUse())])
}

/** True when runs may put results and files into the content store: every process that may need them sees it. */
export function isShared({ blobStore, executionDatabase }: Pick<Settings, 'blobStore' | 'executionDatabase'>): boolean {
  return blobStore !== undefined || executionDatabase === undefined
}

async function openBlobs(settings: Settings, cwd: string): Promise<BlobStore> {
  const dir = contentFolder(settings, cwd)
  if (dir !== null) return createFolderBlobs({ dir })
  const { host: bucket, pathname } = new URL(settings.blobStore ?? '')
  const prefix = pathname.replace(/^\/+/, '').replace(/\/*$/, (end) => (end === '' && pathname.length <= 1 ? '' : '/'))
  const { s3Endpoint: endpoint, s3Region: region, s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = settings
  const keys = accessKeyId !== undefined && secretAccessKey !== undefined ? { accessKeyId, secretAccessKey } : {}
  // Only here: its client is 25 MB of every process.
  const { createS3Blobs } = await import('@koco/blobs/s3')
  return createS3Blobs({ bucket, prefix, region, ...(endpoint !== undefined && { endpoint }), ...keys })
}
