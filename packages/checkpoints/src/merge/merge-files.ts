import type { BlobStore, CompressionLevel } from '@koco/blobs'
import type { CheckpointFile } from '../manifest/manifest.ts'
import { readText } from '../operations/compare.ts'
import { mergeText, type Preference } from './merge-text.ts'

/** A file that both sides changed differently. A side is null where it deleted the file; `text` has the places marked, null when it is no text. */
export type FileConflict = {
  readonly path: string
  readonly base: string | null
  readonly ours: string | null
  readonly theirs: string | null
  readonly text: string | null
}

/** What becomes of a file in conflict: one side's, or this text. */
export type FileResolution = 'ours' | 'theirs' | { readonly content: string }

type Files = ReadonlyMap<string, CheckpointFile>
type Sides = { readonly base: CheckpointFile | undefined; readonly ours: CheckpointFile | undefined; readonly theirs: CheckpointFile | undefined }

/** How conflicts end: by a side, or by a resolution a file; what no resolution names stays a conflict. */
export type FileRules = {
  readonly strategy: 'ours' | 'theirs' | 'manual'
  readonly resolution: Readonly<Record<string, FileResolution>>
  readonly level: CompressionLevel
}

/** Merges the files of two checkpoints by what their common ancestor has. New content is kept; call it under a pin. */
export async function mergeFiles(
  base: Files,
  ours: Files,
  theirs: Files,
  blobs: BlobStore,
  rules: FileRules,
): Promise<{ readonly files: readonly CheckpointFile[]; readonly conflicts: readonly FileConflict[] }> {
  const files: CheckpointFile[] = []
  const conflicts: FileConflict[] = []
  for (const path of [...new Set([...base.keys(), ...ours.keys(), ...theirs.keys()])].sort()) {
    const sides = { base: base.get(path), ours: ours.get(path), theirs: theirs.get(path) }
    const merged = easy(sides) ?? (await hard(path, sides, blobs, rules))
    if ('conflict' in merged) conflicts.push(merged.conflict)
    else if (merged.file) files.push(merged.file)
  }
  return { files, conflicts }
}

type Merged = { readonly file: CheckpointFile | undefined } | { readonly conflict: FileConflict }

/** One side changed, or both alike. */
function easy({ base, ours, theirs }: Sides): Merged | undefined {
  if (alike(ours, theirs) || alike(theirs, base)) return { file: ours }
  if (alike(ours, base)) return { file: theirs }
  return undefined
}

async function hard(path: string, sides: Sides, blobs: BlobStore, { strategy, resolution, level }: FileRules): Promise<Merged> {
  const { base, ours, theirs } = sides
  const resolved = resolution[path]
  const keep = async (text: string, like: CheckpointFile | undefined): Promise<Merged> => {
    const { hash, size, stored } = await blobs.put(Buffer.from(text), { level })
    return { file: { path, hash, size, stored, mode: like?.mode ?? 0o644, stamp: null } }
  }
  if (typeof resolved === 'object') return await keep(resolved.content, ours ?? theirs)
  const merged = await mergeTexts(sides, blobs, resolved ?? (strategy === 'manual' ? 'mark' : strategy))
  if (merged && (merged.conflicts === 0 || strategy !== 'manual' || resolved !== undefined))
    return await keep(merged.text, resolved === 'theirs' ? theirs : ours)
  if (resolved !== undefined || strategy !== 'manual') return { file: (resolved ?? strategy) === 'ours' ? ours : theirs }
  return { conflict: { path, base: base?.hash ?? null, ours: ours?.hash ?? null, theirs: theirs?.hash ?? null, text: merged?.text ?? null } }
}

/** Merges a file that is text on both sides; a file that both made has an empty one as its base. */
async function mergeTexts({ base, ours, theirs }: Sides, blobs: BlobStore, preference: Preference): Promise<ReturnType<typeof mergeText> | undefined> {
  if (!ours || !theirs) return undefined
  const [o, a, b] = [base ? await readText(base, blobs) : '', await readText(ours, blobs), await readText(theirs, blobs)]
  return o === undefined || a === undefined || b === undefined ? undefined : mergeText(o, a, b, preference)
}

function alike(a: CheckpointFile | undefined, b: CheckpointFile | undefined): boolean {
  return a?.hash === b?.hash && a?.mode === b?.mode
}
