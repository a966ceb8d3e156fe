import { RefusedError } from '@koco/core'
import { captureConversation, readConversation } from '../conversation.ts'
import type { CheckpointFile, Manifest } from '../manifest/manifest.ts'
import { mergeConversation, type ConversationConflict, type ConversationResolution } from '../merge/merge-conversation.ts'
import { mergeFiles, type FileConflict, type FileResolution } from '../merge/merge-files.ts'
import { mustFind, mustHaveSessions, newCheckpointId, pinned, saveCheckpoint, type Checkpoint, type Parts } from '../parts.ts'
import { filesOf } from './compare.ts'
import { restore } from './restore.ts'
import { commonAncestor } from './tree.ts'

/** What becomes of conflicts, a file by its path. */
export type Resolution = { readonly files?: Readonly<Record<string, FileResolution>>; readonly conversation?: ConversationResolution }

/** `strategy`: `ours` and `theirs` say which side has its way in a conflict, `manual` tells the conflicts; with a `resolution` of all of them it merges too. `by`: the user that the session is for. */
export type MergeOptions = {
  readonly strategy: 'ours' | 'theirs' | 'manual'
  readonly resolution?: Resolution | undefined
  readonly description?: string | undefined
  readonly newSessionId?: string | undefined
  readonly by?: string | undefined
}

/** A merge: a checkpoint with two parents and a session made of it; or what stands in its way, and then nothing was made. */
export type MergeOutcome =
  | { readonly outcome: 'merged'; readonly checkpoint: Checkpoint; readonly sessionId: string; readonly ancestor: string | null }
  | {
      readonly outcome: 'conflicts'
      readonly files: readonly FileConflict[]
      readonly conversation: ConversationConflict | null
      readonly ancestor: string | null
    }

const NONE: Pick<Manifest, 'files'> = { files: [] }

/** Merges two checkpoints by their nearest common ancestor; without one, by nothing. RefusedError `unknown_checkpoint`, `corrupt_manifest`, `same_checkpoint`. */
export async function merge(parts: Parts, oursId: string, theirsId: string, options: MergeOptions): Promise<MergeOutcome> {
  if (oursId === theirsId) throw new RefusedError('A checkpoint cannot be merged with itself. Name two.', { code: 'same_checkpoint' })
  mustHaveSessions(parts)
  const [ours, theirs] = [await parts.manifests.read(await mustFind(parts, oursId)), await parts.manifests.read(await mustFind(parts, theirsId))]
  const ancestor = await commonAncestor(parts, oursId, theirsId)
  const base = ancestor === null ? undefined : await parts.manifests.read(await mustFind(parts, ancestor))
  return await pinned(parts, async () => {
    await parts.blobs.touch([ours, theirs].flatMap(({ files }) => files.map(({ hash }) => hash)))
    const talks = {
      base: await readConversation(base ?? NONE, parts.blobs),
      ours: await readConversation(ours, parts.blobs),
      theirs: await readConversation(theirs, parts.blobs),
    }
    const rule = options.strategy === 'manual' ? options.resolution?.conversation : options.strategy
    const talk = mergeConversation(talks.base.messages, talks.ours.messages, talks.theirs.messages, rule)
    const none = new Map<string, CheckpointFile>()
    const merged = await mergeFiles(base ? filesOf(base) : none, filesOf(ours), filesOf(theirs), parts.blobs, {
      strategy: options.strategy,
      resolution: options.resolution?.files ?? {},
      level: parts.compressionLevel,
    })
    if ('conflict' in talk || merged.conflicts.length > 0) {
      return { outcome: 'conflicts', files: merged.conflicts, conversation: 'conflict' in talk ? talk.conflict : null, ancestor }
    }
    const first = options.strategy === 'theirs' ? theirs : ours
    const record = options.strategy === 'theirs' ? talks.theirs.record : talks.ours.record
    const talkFiles = await captureConversation({ messages: talk.messages, record }, parts.blobs, parts.compressionLevel)
    const manifest = mergedManifest(parts, { ours, theirs, first, files: [...talkFiles, ...merged.files], messages: talk.messages.length, options })
    const checkpoint = await saveCheckpoint(parts, manifest, { files: [...ours.files, ...theirs.files] })
    parts.crash('merge:checkpoint')
    const { sessionId } = await restore(parts, checkpoint.id, { newSessionId: options.newSessionId, by: options.by })
    return { outcome: 'merged', checkpoint, sessionId, ancestor }
  })
}

type MergedParts = {
  readonly ours: Manifest
  readonly theirs: Manifest
  readonly first: Manifest
  readonly files: readonly CheckpointFile[]
  readonly messages: number
  readonly options: MergeOptions
}

function mergedManifest(parts: Parts, { ours, theirs, first, files, messages, options }: MergedParts): Manifest {
  const now = parts.clock()
  return {
    format: 1,
    id: newCheckpointId(now),
    revision: 1,
    sessionId: ours.sessionId,
    user: options.by ?? ours.user,
    createdAt: now / 1000,
    description: options.description ?? `Merge of ${nameOf(ours)} and ${nameOf(theirs)}`,
    tags: ['merge'],
    metadata: { merge: { ours: ours.id, theirs: theirs.id, strategy: options.strategy } },
    origin: 'merge',
    parentId: ours.id,
    mergedId: theirs.id,
    compressionLevel: parts.compressionLevel,
    incremental: false,
    conversation: messages === 0 ? null : { position: first.conversation?.position ?? 0, messages },
    state: { ...theirs.state, ...ours.state, ...first.state },
    files,
    skipped: [],
  }
}

function nameOf({ id, description }: Manifest): string {
  return description === '' ? id : `“${description}”`
}
