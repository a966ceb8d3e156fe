import { RefusedError } from '@koco/core'
import type { BlobStore } from '@koco/blobs'
import { readConversation } from '../conversation.ts'
import type { CheckpointFile, Manifest } from '../manifest/manifest.ts'
import { mustFind, mustHaveSessions, mustReadSession, pinned, type Parts } from '../parts.ts'
import type { SessionState } from '../port.ts'
import { isSessionPath } from '../workspace/paths.ts'
import { selector, type Selection } from '../workspace/patterns.ts'
import { placeFiles, removeFiles } from '../workspace/place.ts'
import { create } from './create.ts'
import { planRestore, type RestorePlan } from './plan-restore.ts'

/**
 * `newSessionId`: of the session that is made, else one that is free. `sessionOptions`: what its state gets besides, or instead of, what was copied. `include`, `exclude`: which files come back.
 * `restoreDir`: a folder for the files instead of the session's own. `skipMissingFiles`: go on without files whose blobs are gone or damaged. `inPlace`: put the session itself back instead of making a
 * new one; `by`: the user that the new session is for, default the copy's.
 */
export type RestoreOptions = Selection & {
  readonly newSessionId?: string | undefined
  readonly sessionOptions?: SessionState | undefined
  readonly restoreDir?: string | undefined
  readonly skipMissingFiles?: boolean | undefined
  readonly inPlace?: boolean | undefined
  readonly by?: string | undefined
}

/** `before`: the checkpoint of what was replaced in place. `missing`: files that could not come back. */
export type Restored = {
  readonly sessionId: string
  readonly workspace: string | null
  readonly files: number
  readonly missing: readonly string[]
  readonly before: string | null
}

/** Makes a session of a checkpoint, or puts it back in place. RefusedError `unknown_checkpoint`, `corrupt_manifest`, `missing_files`, `session_exists`, `session_busy`, `unknown_session`. */
export async function restore(parts: Parts, id: string, options: RestoreOptions = {}): Promise<Restored> {
  return await pinned(parts, async () => await restorePinned(parts, id, options))
}

async function restorePinned(parts: Parts, id: string, options: RestoreOptions): Promise<Restored> {
  const manifest = await parts.manifests.read(await mustFind(parts, id))
  const { files, missing } = await presentFiles(manifest, parts.blobs, options)
  if (missing.length > 0 && options.skipMissingFiles !== true) throw missingFiles(id, missing)
  return options.inPlace === true ? await inPlace(parts, manifest, files, missing, options) : await toNewSession(parts, manifest, files, missing, options)
}

/** What a restore would do, without doing it. */
export async function dryRun(parts: Parts, id: string, options: RestoreOptions = {}): Promise<RestorePlan> {
  const manifest = await parts.manifests.read(await mustFind(parts, id))
  const { files, missing } = await presentFiles(manifest, parts.blobs, options)
  return await planRestore(parts, manifest, { files, missing, selected: selector(options), inPlace: options.inPlace === true })
}

async function toNewSession(
  parts: Parts,
  manifest: Manifest,
  files: readonly CheckpointFile[],
  missing: readonly string[],
  options: RestoreOptions,
): Promise<Restored> {
  const sessions = mustHaveSessions(parts)
  const { messages, record } = await readConversation(manifest, parts.blobs)
  const user = options.by ?? manifest.user
  const place = await sessions.place(user, options.newSessionId)
  const workspace = options.restoreDir ?? place.workspace
  // The files first: with the session everything is there. Without it the folder belongs to nobody.
  await placeFiles(workspace, files, parts.blobs)
  parts.crash('restore:files')
  await sessions.create({ id: place.id, user, from: manifest.sessionId, messages, record, state: { ...manifest.state, ...options.sessionOptions } })
  return { sessionId: place.id, workspace, files: files.length, missing, before: null }
}

async function inPlace(
  parts: Parts,
  manifest: Manifest,
  files: readonly CheckpointFile[],
  missing: readonly string[],
  options: RestoreOptions,
): Promise<Restored> {
  const sessions = mustHaveSessions(parts)
  const { sessionId } = manifest
  const session = await mustReadSession(parts, sessionId)
  if (session.busy) {
    throw new RefusedError(`Session ${sessionId} is at work. Wait for its turn to end or cancel it, or restore to a new session.`, { code: 'session_busy' })
  }
  const before = await create(parts, sessionId, {
    description: `Before restoring ${manifest.description === '' ? manifest.id : `“${manifest.description}”`}`,
    tags: ['before-restore'],
    incremental: true,
    origin: 'restore',
    needed: [manifest.id],
  })
  parts.crash('restore:before')
  const workspace = options.restoreDir ?? session.workspace
  if (workspace !== null) {
    const selected = selector(options)
    const wanted = new Map(files.map((file) => [file.path, file]))
    const now = options.restoreDir === undefined ? before.files.filter(({ path }) => !isSessionPath(path) && selected(path)) : []
    const same = new Set(now.filter(({ path, hash, mode }) => wanted.get(path)?.hash === hash && wanted.get(path)?.mode === mode).map(({ path }) => path))
    const kept = new Set([...wanted.keys(), ...missing])
    await removeFiles(
      workspace,
      now.filter(({ path }) => !kept.has(path)).map(({ path }) => path),
    ) // first: a file may be where a folder was
    await placeFiles(
      workspace,
      files.filter(({ path }) => !same.has(path)),
      parts.blobs,
    )
    parts.crash('restore:files')
  }
  const { messages, record } = await readConversation(manifest, parts.blobs)
  await sessions.replace(sessionId, { messages, record, state: { ...manifest.state, ...options.sessionOptions } })
  return { sessionId, workspace, files: files.length, missing, before: before.id }
}

/** The files of the workspace that are meant and whose blobs are there, and those whose blobs are not. */
async function presentFiles(manifest: Manifest, blobs: BlobStore, options: Selection): Promise<{ files: CheckpointFile[]; missing: string[] }> {
  const selected = selector(options)
  const wanted = manifest.files.filter(({ path }) => !isSessionPath(path) && selected(path))
  const gone = new Set(await blobs.touch([...new Set(wanted.map(({ hash }) => hash))]))
  return { files: wanted.filter(({ hash }) => !gone.has(hash)), missing: wanted.filter(({ hash }) => gone.has(hash)).map(({ path }) => path) }
}

function missingFiles(id: string, missing: readonly string[]): RefusedError {
  const some = missing.slice(0, 5).join(', ')
  return new RefusedError(
    `The content of ${missing.length} files of checkpoint ${id} is gone (${some}). Restore without them by skip_missing_files, or bring the content store back from a backup.`,
    { code: 'missing_files', details: missing },
  )
}
