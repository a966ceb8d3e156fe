import { RefusedError } from '@koco/core'
import { readConversation } from '../conversation.ts'
import type { CheckpointFile, Manifest } from '../manifest/manifest.ts'
import { mustFind, mustHaveSessions, pinned, type Parts } from '../parts.ts'
import { selector } from '../workspace/patterns.ts'
import { presentFiles } from '../workspace/present.ts'
import { placeFiles } from '../workspace/place.ts'
import { restoreInPlace } from './restore-in-place.ts'
import { planRestore, type RestorePlan } from './plan-restore.ts'
import type { Restored, RestoreOptions } from './restored.ts'

/** Makes a session of a checkpoint, or puts it back in place. RefusedError `unknown_checkpoint`, `corrupt_manifest`, `missing_files`, `session_exists`, `session_busy`, `unknown_session`. */
export async function restore(parts: Parts, id: string, options: RestoreOptions = {}): Promise<Restored> {
  return await pinned(parts, async () => await restorePinned(parts, id, options))
}

async function restorePinned(parts: Parts, id: string, options: RestoreOptions): Promise<Restored> {
  const manifest = await parts.manifests.read(await mustFind(parts, id))
  const { files, missing } = await presentFiles(manifest, parts.blobs, options)
  if (missing.length > 0 && options.skipMissingFiles !== true) throw missingFiles(id, missing)
  return options.inPlace === true
    ? await restoreInPlace(parts, manifest, { files: files.length, missing }, options)
    : await toNewSession(parts, manifest, files, missing, options)
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

function missingFiles(id: string, missing: readonly string[]): RefusedError {
  const some = missing.slice(0, 5).join(', ')
  return new RefusedError(
    `The content of ${missing.length} files of checkpoint ${id} is gone (${some}). Restore without them by skip_missing_files, or bring the content store back from a backup.`,
    { code: 'missing_files', details: missing },
  )
}
