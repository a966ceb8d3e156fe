import { canonicalJson, must, toJson, type Json } from '@koco/core'
import type { CompressionLevel } from '@koco/blobs'
import type { CheckpointOrigin } from '@koco/storage'
import { BlobsUnderWay, type BlobKeeper } from '../blobs-under-way.ts'
import { captureConversation } from '../conversation.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { mustFind, mustReadSession, newCheckpointId, pinned, saveCheckpoint, type Checkpoint, type Parts } from '../parts.ts'
import type { SessionCopy } from '../port.ts'
import { captureWorkspace, type Captured } from '../workspace/capture.ts'
import type { Selection } from '../workspace/patterns.ts'
import { applyRetention } from './retention.ts'

/**
 * `parentId`: the checkpoint that this one continues, default none; with `incremental` the last one of the session. `incremental`: files that are as the parent had them are not read again.
 * `include`, `exclude`: globs over the paths of the workspace; the conversation is always taken.
 */
export type CreateOptions = Selection & {
  readonly description?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly metadata?: { readonly [key: string]: Json } | undefined
  readonly parentId?: string | null | undefined
  readonly compressionLevel?: CompressionLevel | undefined
  readonly incremental?: boolean | undefined
  readonly origin?: CheckpointOrigin | undefined
  /** Checkpoints that do not make room for this one. */
  readonly needed?: readonly string[] | undefined
}

const NOTHING: Captured = { files: [], skipped: [] }

/** Makes a checkpoint of a session. RefusedError `unknown_session`, `unknown_checkpoint` for the parent. */
export async function create(parts: Parts, sessionId: string, options: CreateOptions = {}): Promise<Checkpoint> {
  return must(await createIf(parts, sessionId, options, () => true), 'the checkpoint')
}

/** As `create`, if the session has anything that its parent does not have as it is. */
export async function createIfChanged(parts: Parts, sessionId: string, options: CreateOptions): Promise<Checkpoint | undefined> {
  return await createIf(parts, sessionId, options, (manifest, parent) => !parent || contentOf(manifest) !== contentOf(parent))
}

async function createIf(
  parts: Parts,
  sessionId: string,
  options: CreateOptions,
  wanted: (manifest: Manifest, parent: Manifest | undefined) => boolean,
): Promise<Checkpoint | undefined> {
  const session = await mustReadSession(parts, sessionId)
  const parentId = options.parentId ?? (options.incremental === true ? await lastOf(parts, sessionId) : null)
  const parent = parentId === null ? undefined : await parts.manifests.read(await mustFind(parts, parentId))
  const made = await pinned(parts, async () => {
    const blobs = new BlobsUnderWay(parts.blobs)
    try {
      const manifest = await capture(parts, session, { ...options, blobs }, parent)
      return wanted(manifest, parent) ? await saveCheckpoint(parts, manifest, parent, blobs) : undefined
    } finally {
      await blobs.settled()
    }
  })
  if (made) await applyRetention(parts, { sessionId, keep: parts.maxCheckpoints, needed: [made.id, ...(options.needed ?? [])] })
  return made
}

/** Keeps what a session has, and gives the manifest over it. */
async function capture(
  parts: Parts,
  session: SessionCopy,
  { blobs, ...options }: CreateOptions & { readonly blobs: BlobKeeper },
  parent: Manifest | undefined,
): Promise<Manifest> {
  const level = options.compressionLevel ?? parts.compressionLevel
  const base = options.incremental === true && parent ? { files: parent.files, at: parent.createdAt } : undefined
  const { workspace } = session
  const [talk, { files, skipped }] = await Promise.all([
    captureConversation(session, blobs, level),
    workspace === null ? NOTHING : captureWorkspace(workspace, blobs, { ...options, level, base }),
  ])
  parts.crash('create:captured')
  const now = parts.clock()
  return {
    format: 1,
    id: newCheckpointId(now),
    revision: 1,
    sessionId: session.id,
    user: session.user,
    createdAt: now / 1000,
    description: options.description ?? '',
    tags: [...(options.tags ?? [])],
    metadata: toJson(options.metadata ?? {}) as { [key: string]: Json },
    origin: options.origin ?? 'manual',
    parentId: parent?.id ?? null,
    mergedId: null,
    compressionLevel: level,
    incremental: options.incremental === true,
    conversation: session.messages.length === 0 ? null : { position: session.position, messages: session.messages.length },
    state: session.state,
    files: [...talk, ...files],
    skipped,
  }
}

/** What a manifest holds, without what was said of it. */
function contentOf({ state, files }: Manifest): string {
  return canonicalJson(toJson([state, files.map(({ path, hash, mode }) => [path, hash, mode])]))
}

async function lastOf({ store }: Parts, session: string): Promise<string | null> {
  return (await store.list({ session, limit: 1 })).items[0]?.id ?? null
}
