import type * as api from '@koco/core/api'
import type { Checkpoint, Comparison, MergeOutcome, Restored, RestorePlan, Tree } from '@koco/checkpoints'
import type { CheckpointRow } from '@koco/storage'
import { z } from 'zod'
import { json, jsonOf } from './json.ts'
import { shapeOf } from './shape-of.ts'

const seconds = z.number().describe('unix seconds')
const texts = z.array(z.string())
const count = z.number().int()
const said = jsonOf<api.Said>('a message, as it was given')

const Lock = z.object({ by: z.string(), at: seconds, reason: z.string().nullable() })

const summary = {
  id: z.string().describe('`ck` and 24 hex digits'),
  session_id: z.string(),
  user: z.string(),
  created_at: seconds,
  description: z.string(),
  tags: texts,
  metadata: z.record(z.string(), json),
  origin: z.enum(['manual', 'auto', 'error', 'restore', 'merge', 'import']).describe('what it was made for'),
  parent_id: z.string().nullable().describe('the checkpoint that it continues'),
  merged_id: z.string().nullable().describe('the second one, of a merge'),
  messages: count.describe('of its conversation'),
  file_count: count,
  bytes: count.describe('of all its files'),
  added_bytes: count.describe('stored for what its parent does not have'),
  lock: Lock.nullable().describe('who keeps it from being deleted'),
}

/** A checkpoint in a list. */
export const CheckpointShape = shapeOf<api.Checkpoint>()(
  z.object(summary).meta({ id: 'Checkpoint', description: 'A restorable copy of a session: its conversation and the files of its workspace.' }),
)

/** A checkpoint with what it holds. */
export const WholeCheckpoint = shapeOf<api.WholeCheckpoint>()(
  z
    .object({
      ...summary,
      state: z.record(z.string(), json).describe('of the session: title, model and so on'),
      incremental: z.boolean(),
      compression_level: count,
      files: z.array(z.object({ path: z.string(), hash: z.string(), size: count, mode: count })).describe('the conversation is below `.session/`'),
      skipped: z.array(z.object({ path: z.string(), why: z.string() })).describe('in the workspace, and not taken'),
    })
    .meta({ id: 'WholeCheckpoint' }),
)

const FileMark = shapeOf<api.FileMark>()(z.object({ hash: z.string(), size: count, mode: count }))

/** Two checkpoints side by side. */
export const ComparisonShape = shapeOf<api.CheckpointComparison>()(
  z
    .object({
      checkpoint1: WholeCheckpoint,
      checkpoint2: WholeCheckpoint,
      ancestor: z.string().nullable(),
      differences: z.object({
        files: z.object({
          added: texts,
          removed: texts,
          modified: z.array(
            z.object({ path: z.string(), before: FileMark, after: FileMark, diff: z.string().nullable().describe('unified; null when one is no text') }),
          ),
        }),
        conversation: z.object({ common: count, only1: z.array(said), only2: z.array(said) }),
        state: z.array(z.object({ name: z.string(), value1: json, value2: json })),
      }),
    })
    .meta({ id: 'CheckpointComparison' }),
)

/** What a restore did. */
export const RestoredShape = shapeOf<api.Restored>()(
  z.object({
    session_id: z.string(),
    files: count,
    missing: texts.describe('files whose content is gone'),
    before: z.string().nullable().describe('the checkpoint of what was replaced in place'),
  }),
)

/** What a restore would do. */
export const RestorePlanShape = shapeOf<api.RestorePlan>()(
  z.object({
    session_id: z.string().nullable().describe('null: the session is not there any more'),
    files: z.object({ added: texts, changed: texts, removed: texts, unchanged: count }),
    missing: texts,
    conversation: z.object({ now: count, copied: count, common: count }).describe('messages'),
    steps: texts.describe('steps of turns since, which would run again'),
    locks: texts.describe('questions that are open'),
  }),
)

/** A merge, or what stands in its way. */
export const MergeShape = shapeOf<api.Merge>()(
  z.object({
    outcome: z.enum(['merged', 'conflicts']),
    ancestor: z.string().nullable(),
    checkpoint: WholeCheckpoint.optional(),
    session_id: z.string().optional(),
    files: z
      .array(
        z.object({ path: z.string(), base: z.string().nullable(), ours: z.string().nullable(), theirs: z.string().nullable(), text: z.string().nullable() }),
      )
      .optional()
      .describe('conflicts; hashes, null where a side has none; `text` with the places marked'),
    conversation: z
      .object({ common: count, ours: z.array(said), theirs: z.array(said) })
      .nullable()
      .optional(),
  }),
)

/** The branches of a session's family. */
export const TreeShape = shapeOf<api.CheckpointTree>()(
  z.object({
    nodes: z.array(z.object({ checkpoint: CheckpointShape, children: texts })).describe('oldest first'),
    branches: z.array(z.object({ head: z.string(), session_id: z.string(), checkpoints: texts, forked_from: z.string().nullable() })),
    ancestors: z.array(z.object({ heads: z.tuple([z.string(), z.string()]), ancestor: z.string().nullable() })),
  }),
)

/** The JSON of a checkpoint in a list. */
export function checkpointJson(row: CheckpointRow): z.infer<typeof CheckpointShape> {
  const { id, session, user, createdAt, description, tags, metadata, origin, parent, merged, messages, files, bytes, added, lock } = row
  const about = { description, tags: [...tags], metadata, origin, parent_id: parent, merged_id: merged, messages }
  return { id, session_id: session, user, created_at: createdAt, ...about, file_count: files, bytes, added_bytes: added, lock }
}

/** The JSON of a whole checkpoint. */
export function wholeCheckpointJson(checkpoint: Checkpoint): z.infer<typeof WholeCheckpoint> {
  const { id, sessionId, user, createdAt, description, tags, metadata, origin, parentId, mergedId, conversation, state, files, skipped, bytes, added, lock } =
    checkpoint
  const about = { description, tags: [...tags], metadata, origin, parent_id: parentId, merged_id: mergedId, messages: conversation?.messages ?? 0 }
  return {
    id,
    session_id: sessionId,
    user,
    created_at: createdAt,
    ...about,
    file_count: files.length,
    bytes,
    added_bytes: added,
    lock,
    state,
    incremental: checkpoint.incremental,
    compression_level: checkpoint.compressionLevel,
    files: files.map(({ path, hash, size, mode }) => ({ path, hash, size, mode })),
    skipped: [...skipped],
  }
}

/** The JSON of a comparison. */
export function comparisonJson({ checkpoint1, checkpoint2, ancestor, differences }: Comparison): api.CheckpointComparison {
  return { checkpoint1: wholeCheckpointJson(checkpoint1), checkpoint2: wholeCheckpointJson(checkpoint2), ancestor, differences }
}

/** The JSON of what a restore did. */
export function restoredJson({ sessionId, files, missing, before }: Restored): z.infer<typeof RestoredShape> {
  return { session_id: sessionId, files, missing: [...missing], before }
}

/** The JSON of what a restore would do. */
export function restorePlanJson({ sessionId, ...plan }: RestorePlan): api.RestorePlan {
  return { session_id: sessionId, ...plan }
}

/** The JSON of a merge. */
export function mergeJson(outcome: MergeOutcome): api.Merge {
  if (outcome.outcome === 'conflicts') return outcome
  return { outcome: 'merged', ancestor: outcome.ancestor, session_id: outcome.sessionId, checkpoint: wholeCheckpointJson(outcome.checkpoint) }
}

/** The JSON of a tree; only of the checkpoints that may be seen. */
export function treeJson({ nodes, branches, ancestors }: Tree, mayBeSeen: (row: CheckpointRow) => boolean): z.infer<typeof TreeShape> {
  const seen = new Set(nodes.filter(({ checkpoint }) => mayBeSeen(checkpoint)).map(({ checkpoint }) => checkpoint.id))
  const visible = (ids: readonly string[]): string[] => ids.filter((id) => seen.has(id))
  const known = (id: string | null): string | null => (id !== null && seen.has(id) ? id : null)
  return {
    nodes: nodes
      .filter(({ checkpoint }) => seen.has(checkpoint.id))
      .map(({ checkpoint, children }) => ({ checkpoint: checkpointJson(checkpoint), children: visible(children) })),
    branches: branches
      .filter(({ head }) => seen.has(head))
      .map(({ head, sessionId, checkpoints, forkedFrom }) => ({
        head,
        session_id: sessionId,
        checkpoints: visible(checkpoints),
        forked_from: known(forkedFrom),
      })),
    ancestors: ancestors
      .filter(({ heads }) => heads.every((id) => seen.has(id)))
      .map(({ heads, ancestor }) => ({ heads: [...heads], ancestor: known(ancestor) })),
  }
}
