import type { Json } from '../json.ts'

/** A restorable copy of a session, its conversation and the files of its workspace, as lists show it. Times are unix seconds. */
export type Checkpoint = {
  readonly id: string
  readonly session_id: string
  readonly user: string
  readonly created_at: number
  readonly description: string
  readonly tags: readonly string[]
  readonly metadata: Readonly<Record<string, Json>>
  /** What it was made for. */
  readonly origin: 'manual' | 'auto' | 'error' | 'restore' | 'merge' | 'import'
  /** The checkpoint that it continues, and the second one of a merge. */
  readonly parent_id: string | null
  readonly merged_id: string | null
  /** Of its conversation. */
  readonly messages: number
  readonly file_count: number
  /** Of all its files, and what was stored for what its parent does not have. */
  readonly bytes: number
  readonly added_bytes: number
  /** Who keeps it from being deleted. */
  readonly lock: { readonly by: string; readonly at: number; readonly reason: string | null } | null
}

/** A checkpoint with what it holds; the files of the conversation are below `.session/`. */
export type WholeCheckpoint = Checkpoint & {
  /** Of the session: title, model and so on. */
  readonly state: Readonly<Record<string, Json>>
  readonly incremental: boolean
  readonly compression_level: number
  readonly files: readonly (FileMark & { readonly path: string })[]
  /** In the workspace, and not taken. */
  readonly skipped: readonly { readonly path: string; readonly why: string }[]
}

/** The content of a file, by its SHA-256; `size` in bytes. */
export type FileMark = { readonly hash: string; readonly size: number; readonly mode: number }

/** A message of a conversation, as it was given. */
export type Said = { readonly role?: string; readonly content?: Json }

/** Two checkpoints side by side. */
export type CheckpointComparison = {
  readonly checkpoint1: WholeCheckpoint
  readonly checkpoint2: WholeCheckpoint
  readonly ancestor: string | null
  readonly differences: {
    readonly files: {
      readonly added: readonly string[]
      readonly removed: readonly string[]
      /** `diff` is unified; null when one of them is no text. */
      readonly modified: readonly { readonly path: string; readonly before: FileMark; readonly after: FileMark; readonly diff: string | null }[]
    }
    readonly conversation: { readonly common: number; readonly only1: readonly Said[]; readonly only2: readonly Said[] }
    readonly state: readonly { readonly name: string; readonly value1: Json; readonly value2: Json }[]
  }
}

/** What a restore would change. */
export type RestorePlan = {
  /** Null: the session is not there any more. */
  readonly session_id: string | null
  readonly files: { readonly added: readonly string[]; readonly changed: readonly string[]; readonly removed: readonly string[]; readonly unchanged: number }
  /** Files whose content is gone. */
  readonly missing: readonly string[]
  /** Messages. */
  readonly conversation: { readonly now: number; readonly copied: number; readonly common: number }
  /** Steps of turns since, which would run again. */
  readonly steps: readonly string[]
  /** Questions that are open. */
  readonly locks: readonly string[]
}

/** What a restore did; `before` is the checkpoint of what was replaced in place. */
export type Restored = { readonly session_id: string; readonly files: number; readonly missing: readonly string[]; readonly before: string | null }

/** A merge, or the conflicts in its way: `files` by hashes, null where a side has none, `text` with the places marked. */
export type Merge = {
  readonly outcome: 'merged' | 'conflicts'
  readonly ancestor: string | null
  readonly checkpoint?: WholeCheckpoint
  readonly session_id?: string
  readonly files?: readonly {
    readonly path: string
    readonly base: string | null
    readonly ours: string | null
    readonly theirs: string | null
    readonly text: string | null
  }[]
  readonly conversation?: { readonly common: number; readonly ours: readonly Said[]; readonly theirs: readonly Said[] } | null
}

/** The checkpoints of a session's family, oldest first, and their branches. */
export type CheckpointTree = {
  readonly nodes: readonly { readonly checkpoint: Checkpoint; readonly children: readonly string[] }[]
  readonly branches: readonly {
    readonly head: string
    readonly session_id: string
    readonly checkpoints: readonly string[]
    readonly forked_from: string | null
  }[]
  readonly ancestors: readonly { readonly heads: readonly [string, string]; readonly ancestor: string | null }[]
}

/** How much checkpoints hold, and what is stored for it. */
export type CheckpointTotals = { readonly count: number; readonly bytes: number; readonly stored_bytes: number }

/** Whether checkpoints of a session are made by the clock, and how often. */
export type AutoCheckpoints = { readonly session_id: string; readonly enabled: boolean; readonly interval_s: number | null }
