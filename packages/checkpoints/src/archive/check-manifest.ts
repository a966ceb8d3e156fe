import { isJsonObject, parseJson } from '@koco/core'
import { parseManifest, type Manifest } from '../manifest/manifest.ts'
import { checkPath, foldPath, isSessionPath } from '../workspace/paths.ts'
import { badArchive } from './limits.ts'

const ID = /^ck[0-9a-f]{24}$/
const NAME = /^[\w.-]{1,63}$/

/** The manifest of a stranger's archive, every part of it looked at. RefusedError `bad_archive`, `bad_path`. */
export function checkManifest(text: string): Manifest {
  const manifest = parseManifest(text)
  if (!manifest) throw badArchive(isObject(text) ? 'its manifest does not have the sum that it says' : 'its manifest is not one')
  if (!hasShape(manifest)) throw badArchive('its manifest is not one of a checkpoint')
  const seen = new Set<string>()
  for (const { path } of manifest.files) {
    checkPath(path)
    const folded = foldPath(path)
    if (seen.has(folded)) throw badArchive(`"${path}" is in it twice, by another writing`)
    seen.add(folded)
  }
  for (const folded of seen) {
    for (let at = folded.lastIndexOf('/'); at > 0; at = folded.lastIndexOf('/', at - 1)) {
      if (seen.has(folded.slice(0, at))) throw badArchive(`"${folded.slice(0, at)}" is a file and a folder in it`)
    }
  }
  if (manifest.files.some(({ path }) => isSessionPath(path) && !/^\.session\/(conversation-\d{8}\.jsonl|record\.json)$/.test(path))) {
    throw badArchive('its conversation is not one')
  }
  return manifest
}

function hasShape(manifest: Manifest): boolean {
  const { id, sessionId, user, createdAt, description, tags, metadata, parentId, mergedId, state, files, conversation } = manifest
  const texts = [id, sessionId, user, description, ...(Array.isArray(tags) ? tags : [null])].every((value) => typeof value === 'string')
  const parents = [parentId, mergedId].every((value) => value === null || (typeof value === 'string' && ID.test(value)))
  const shape =
    texts && parents && ID.test(id) && NAME.test(sessionId) && NAME.test(user) && Number.isFinite(createdAt) && isJsonObject(metadata) && isJsonObject(state)
  const talk = conversation === null || (Number.isSafeInteger(conversation.position) && Number.isSafeInteger(conversation.messages))
  return shape && talk && Array.isArray(files) && files.every(isFile)
}

function isFile({ path, hash, size, mode }: Manifest['files'][number]): boolean {
  return (
    typeof path === 'string' &&
    /^[0-9a-f]{64}$/.test(hash) &&
    Number.isSafeInteger(size) &&
    size >= 0 &&
    Number.isSafeInteger(mode) &&
    mode >= 0 &&
    mode <= 0o777
  )
}

function isObject(text: string): boolean {
  try {
    return isJsonObject(parseJson(text))
  } catch {
    return false // Not JSON at all.
  }
}
