import { randomBytes } from 'node:crypto'
import { RefusedError } from '@koco/core'
import type { BlobStore, CompressionLevel, CrashPoint } from '@koco/blobs'
import type { CheckpointLock, CheckpointRow, CheckpointStore } from '@koco/storage'
import type { BlobsUnderWay } from './blobs-under-way.ts'
import type { ManifestFiles } from './manifest/files.ts'
import { manifestText, type Manifest } from './manifest/manifest.ts'
import type { CheckpointSessions, SessionCopy } from './port.ts'
import type { SharedPins } from './shared-pins.ts'

/** What the operations work with. `clock`: milliseconds since 1970. */
export type Parts = {
  readonly store: CheckpointStore
  readonly blobs: BlobStore
  readonly pins: SharedPins
  readonly manifests: ManifestFiles
  readonly sessions: CheckpointSessions | null
  readonly compressionLevel: CompressionLevel
  readonly maxCheckpoints: number
  /** What only one process may do at a time: a function that gives it back, or undefined when another has it. */
  readonly exclusive: (name: string) => Promise<(() => Promise<void>) | undefined>
  readonly clock: () => number
  readonly crash: CrashPoint
}

/** A checkpoint: its manifest, and what the index knows of it. `bytes`: of all its files; `added`: kept for what its parent does not have; `parentId`: its nearest ancestor that is still there. */
export type Checkpoint = Omit<Manifest, 'format'> & { readonly bytes: number; readonly added: number; readonly lock: CheckpointLock | null }

/** The row of a checkpoint. RefusedError `unknown_checkpoint`. */
export async function mustFind(parts: Pick<Parts, 'store'>, id: string): Promise<CheckpointRow> {
  const row = await parts.store.get(id)
  if (!row) throw new RefusedError(`There is no checkpoint "${id.slice(0, 80)}".`, { code: 'unknown_checkpoint' })
  return row
}

/** The sessions of this installation. RefusedError `no_sessions`. */
export function mustHaveSessions({ sessions }: Pick<Parts, 'sessions'>): NonNullable<Parts['sessions']> {
  if (sessions === null) throw new RefusedError('There are no sessions here to make checkpoints of.', { code: 'no_sessions' })
  return sessions
}

/** A session as it is now. RefusedError `unknown_session`. */
export async function mustReadSession(parts: Pick<Parts, 'sessions'>, id: string): Promise<SessionCopy> {
  const session = await mustHaveSessions(parts).read(id)
  if (!session) throw new RefusedError(`There is no session "${id.slice(0, 80)}".`, { code: 'unknown_session' })
  return session
}

/** A new checkpoint's id: `ck` and 24 hex digits, the first 8 its second. */
export function newCheckpointId(nowMs: number): string {
  return `ck${Math.floor(nowMs / 1000)
    .toString(16)
    .padStart(8, '0')}${randomBytes(8).toString('hex')}`
}

/** Does something under a pin: what is put meanwhile stays. */
export async function pinned<T>({ pins }: Pick<Parts, 'pins'>, act: () => Promise<T>): Promise<T> {
  return await pins.during(act)
}

/**
 * Makes a checkpoint of a manifest whose blobs are kept, or `underWay`: its blob, its file, and last, when all that is on disk, its row in the index, with which it is there. Killed before that it leaves
 * what a sweep takes away. `before`: what its parent holds. Call it under the pin of its blobs.
 */
export async function saveCheckpoint(
  parts: Parts,
  manifest: Manifest,
  before: Pick<Manifest, 'files'> | undefined,
  underWay?: BlobsUnderWay,
): Promise<Checkpoint> {
  const text = manifestText(manifest)
  const [{ hash, stored }] = await Promise.all([
    parts.blobs.put(Buffer.from(text), { level: parts.compressionLevel }),
    parts.manifests.write(manifest.id, text),
    underWay?.durable(),
  ])
  const { id, sessionId: session, user, createdAt, description, tags, metadata, origin, parentId: parent, mergedId: merged, conversation, files } = manifest
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const added = stored + addedBytes(files, before?.files ?? [])
  const row: CheckpointRow = {
    id,
    session,
    user,
    createdAt,
    description,
    tags,
    metadata,
    origin,
    parent,
    merged,
    bytes,
    added,
    position: conversation?.position ?? null,
    messages: conversation?.messages ?? 0,
    files: files.length,
    manifest: hash,
    revision: manifest.revision,
    lock: null,
  }
  await parts.store.insert(row)
  parts.crash('checkpoint:indexed')
  return checkpointOf(manifest, row)
}

/** A checkpoint of its manifest and its row. */
export function checkpointOf({ format: _format, ...manifest }: Manifest, { parent, merged, bytes, added, lock }: CheckpointRow): Checkpoint {
  return { ...manifest, parentId: parent, mergedId: merged, bytes, added, lock }
}

/** Stored bytes of the blobs that these files have and those before have not, each blob once. */
function addedBytes(files: Manifest['files'], before: Manifest['files']): number {
  const seen = new Set(before.map(({ hash }) => hash))
  let bytes = 0
  for (const { hash, stored } of files) {
    if (!seen.has(hash)) bytes += stored
    seen.add(hash)
  }
  return bytes
}
