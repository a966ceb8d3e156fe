import { canonicalJson, type Json } from '@koco/core'
import type { BlobStore } from '@koco/blobs'
import { createTwoFilesPatch } from 'diff'
import { readConversation } from '../conversation.ts'
import type { CheckpointFile, Manifest } from '../manifest/manifest.ts'
import { checkpointOf, mustFind, type Checkpoint, type Parts } from '../parts.ts'
import type { Message } from '../port.ts'
import { isSessionPath } from '../workspace/paths.ts'
import { commonLength } from './plan-restore.ts'
import { commonAncestor } from './tree.ts'

/** A file that both have and that is not the same. `diff`: unified, from the first to the second; null when one of them is no text or too large. */
export type ModifiedFile = { readonly path: string; readonly before: FileMark; readonly after: FileMark; readonly diff: string | null }

/** What tells two files apart at a glance. */
export type FileMark = { readonly hash: string; readonly size: number; readonly mode: number }

/** Two checkpoints and what is different. `ancestor`: the nearest that both continue. `conversation`: after the first `common` messages each has its own. */
export type Comparison = {
  readonly checkpoint1: Checkpoint
  readonly checkpoint2: Checkpoint
  readonly ancestor: string | null
  readonly differences: {
    readonly files: { readonly added: readonly string[]; readonly removed: readonly string[]; readonly modified: readonly ModifiedFile[] }
    readonly conversation: { readonly common: number; readonly only1: readonly Message[]; readonly only2: readonly Message[] }
    readonly state: readonly { readonly name: string; readonly value1: Json; readonly value2: Json }[]
  }
}

const TEXT_BYTES_MAX = 1024 * 1024
const DIFF_MS_MAX = 2_000

/** Compares two checkpoints. RefusedError `unknown_checkpoint`, `corrupt_manifest`. */
export async function compare(parts: Parts, id1: string, id2: string): Promise<Comparison> {
  const [row1, row2] = [await mustFind(parts, id1), await mustFind(parts, id2)]
  const [one, two] = await Promise.all([parts.manifests.read(row1), parts.manifests.read(row2)])
  const [talk1, talk2] = await Promise.all([readConversation(one, parts.blobs), readConversation(two, parts.blobs)])
  const common = commonLength(talk1.messages, talk2.messages)
  return {
    checkpoint1: checkpointOf(one, row1),
    checkpoint2: checkpointOf(two, row2),
    ancestor: await commonAncestor(parts, id1, id2),
    differences: {
      files: await compareFiles(one, two, parts.blobs),
      conversation: { common, only1: talk1.messages.slice(common), only2: talk2.messages.slice(common) },
      state: compareState(one, two),
    },
  }
}

async function compareFiles(one: Manifest, two: Manifest, blobs: BlobStore): Promise<Comparison['differences']['files']> {
  const [before, after] = [filesOf(one), filesOf(two)]
  const modified: ModifiedFile[] = []
  for (const [path, file] of before) {
    const other = after.get(path)
    if (other && (other.hash !== file.hash || other.mode !== file.mode)) {
      modified.push({ path, before: markOf(file), after: markOf(other), diff: await textDiff(path, file, other, blobs) })
    }
  }
  return { added: [...after.keys()].filter((path) => !before.has(path)), removed: [...before.keys()].filter((path) => !after.has(path)), modified }
}

async function textDiff(path: string, before: CheckpointFile, after: CheckpointFile, blobs: BlobStore): Promise<string | null> {
  const [a, b] = [await readText(before, blobs), await readText(after, blobs)]
  if (a === undefined || b === undefined) return null
  return createTwoFilesPatch(path, path, a, b, undefined, undefined, { timeout: DIFF_MS_MAX }) ?? null
}

/** A file as text; undefined for one that is none, is too large, or whose content is gone. */
export async function readText(file: Pick<CheckpointFile, 'hash' | 'size'>, blobs: BlobStore): Promise<string | undefined> {
  if (file.size > TEXT_BYTES_MAX || !(await blobs.stat(file.hash))) return undefined
  const bytes = await blobs.read(file.hash)
  if (bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined // Not UTF-8: it is no text to us.
  }
}

function compareState(one: Manifest, two: Manifest): Comparison['differences']['state'] {
  const names = [...new Set([...Object.keys(one.state), ...Object.keys(two.state)])].sort()
  return names
    .map((name) => ({ name, value1: one.state[name] ?? null, value2: two.state[name] ?? null }))
    .filter(({ value1, value2 }) => canonicalJson(value1) !== canonicalJson(value2))
}

/** The files of a workspace in a manifest, by path. */
export function filesOf(manifest: Manifest): Map<string, CheckpointFile> {
  return new Map(manifest.files.filter(({ path }) => !isSessionPath(path)).map((file) => [file.path, file]))
}

function markOf({ hash, size, mode }: CheckpointFile): FileMark {
  return { hash, size, mode }
}
