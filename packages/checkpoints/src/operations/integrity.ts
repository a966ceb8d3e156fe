import { mustFind, type Parts } from '../parts.ts'
import { isSessionPath } from '../workspace/paths.ts'
import { hashWorkspace } from '../workspace/hash.ts'

/**
 * How a checkpoint stands. `blobsPresent`: everything that it holds is in the content store (with `deep`: and unharmed). `workspaceMatch`: the files in the session's workspace are the checkpoint's,
 * byte for byte. `allFilesPresent`: none of them was deleted from there since. `missing`: paths that are gone, from the store or the workspace.
 */
export type Integrity = {
  readonly blobsPresent: boolean
  readonly workspaceMatch: boolean
  readonly allFilesPresent: boolean
  readonly missing: readonly string[]
}

/** Holds a checkpoint against the content store and against its session's workspace. RefusedError `unknown_checkpoint`, `corrupt_manifest`. */
export async function checkIntegrity(parts: Parts, id: string, { deep = false }: { readonly deep?: boolean } = {}): Promise<Integrity> {
  const manifest = await parts.manifests.read(await mustFind(parts, id))
  const absent = await absentBlobs(
    parts,
    manifest.files.map(({ hash }) => hash),
    deep,
  )
  const workspace = (await parts.sessions?.read(manifest.sessionId))?.workspace ?? null
  const now = workspace === null ? new Map<string, string>() : await hashWorkspace(workspace, () => true)
  const wanted = manifest.files.filter(({ path }) => !isSessionPath(path))
  const deleted = wanted.filter(({ path }) => !now.has(path)).map(({ path }) => path)
  const gone = manifest.files.filter(({ hash }) => absent.has(hash)).map(({ path }) => path)
  return {
    blobsPresent: gone.length === 0,
    workspaceMatch: deleted.length === 0 && wanted.every(({ path, hash }) => now.get(path) === hash),
    allFilesPresent: deleted.length === 0,
    missing: [...new Set([...gone, ...deleted])].sort(),
  }
}

/** The blobs that are not there; with `deep` also those that are damaged. */
export async function absentBlobs({ blobs }: Pick<Parts, 'blobs'>, hashes: readonly string[], deep: boolean): Promise<ReadonlySet<string>> {
  const absent = new Set<string>()
  for (const hash of new Set(hashes)) {
    const there = deep ? await isWhole(blobs, hash) : (await blobs.stat(hash)) !== undefined
    if (!there) absent.add(hash)
  }
  return absent
}

async function isWhole(blobs: Parts['blobs'], hash: string): Promise<boolean> {
  try {
    for await (const _chunk of await blobs.open(hash)) continue
    return true
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    if (code === 'blob_corrupt' || code === 'unknown_blob') return false
    throw error
  }
}
