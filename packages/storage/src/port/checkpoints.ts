import type { Json } from '@koco/core'
import type { Page } from './page.ts'

/** What people or policies wanted a checkpoint for. */
export type CheckpointOrigin = 'manual' | 'auto' | 'error' | 'restore' | 'merge' | 'import'

/** A lock on a checkpoint. `at` is unix seconds. */
export type CheckpointLock = { readonly by: string; readonly at: number; readonly reason: string | null }

/** What people say of a checkpoint. */
export type CheckpointWords = { readonly description: string; readonly tags: readonly string[]; readonly metadata: { readonly [key: string]: Json } }

/**
 * A checkpoint as lists show it; what it holds stands in its manifest, a blob of hash `manifest`. `revision` counts changes of its words, from 1. `parent` and `merged`: the checkpoints that it continues, the
 * second of a merge; null when there is none, or it was deleted together with all before it. `position`: the revision of the conversation, null without one. `bytes`: of all its files;
 * `added`: stored for what its parent does not have. Times are unix seconds.
 */
export type CheckpointRow = CheckpointWords & {
  readonly id: string
  readonly session: string
  readonly user: string
  readonly createdAt: number
  readonly origin: CheckpointOrigin
  readonly parent: string | null
  readonly merged: string | null
  readonly position: number | null
  readonly messages: number
  readonly files: number
  readonly bytes: number
  readonly added: number
  readonly manifest: string
  readonly revision: number
  readonly lock: CheckpointLock | null
}

/** What a list is filtered by: all of `tags`; all words of `q` in description, tags, metadata, id or session; every value of `metadata` at its place. Newest first. `from` inclusive, `to` exclusive, unix seconds. */
export type CheckpointQuery = {
  readonly session?: string
  readonly user?: string
  readonly tags?: readonly string[]
  readonly from?: number
  readonly to?: number
  readonly q?: string
  readonly metadata?: { readonly [key: string]: Json }
  readonly cursor?: string
  readonly limit: number
}

/** All checkpoints together, or those of a user; `stored` is the sum of what each added. */
export type CheckpointTotals = { readonly count: number; readonly bytes: number; readonly stored: number }

/** What is to be done for a session beyond the call that wanted it. `auto`: checkpoints by the clock. `restore`: a restore in place that is under way. `about` is whoever does it's own. */
export type CheckpointTask = { readonly kind: 'auto' | 'restore'; readonly session: string; readonly about: Json }

/** The index of the checkpoints. */
export interface CheckpointStore {
  /** RefusedError `checkpoint_exists`. A parent that is not there counts as none. */
  insert(row: CheckpointRow): Promise<void>
  get(id: string): Promise<CheckpointRow | undefined>
  /** Changes the words of a checkpoint that is at the revision before; false when it is not. */
  describe(id: string, revision: number, words: CheckpointWords & { readonly manifest: string }): Promise<boolean>
  /** Locks or unlocks; false for an unknown checkpoint. */
  setLock(id: string, lock: CheckpointLock | null): Promise<boolean>
  /** Deletes one that is not locked; its children get its parent. */
  delete(id: string): Promise<'deleted' | 'locked' | 'unknown'>
  /** RefusedError `bad_cursor`. */
  list(query: CheckpointQuery): Promise<Page<CheckpointRow>>
  /** A checkpoint and all that it continues, oldest first. */
  ancestors(id: string): Promise<readonly CheckpointRow[]>
  /** The checkpoints of a session, what they continue, and what continues any of these, in other sessions too; oldest first, at most 10,000. */
  family(session: string): Promise<readonly CheckpointRow[]>
  totals(user?: string): Promise<CheckpointTotals>
  /** Keeps a task until it is dropped, in place of another of its kind and session. */
  setTask(task: CheckpointTask): Promise<void>
  /** False when there was none. */
  dropTask(kind: CheckpointTask['kind'], session: string): Promise<boolean>
  tasks(kind: CheckpointTask['kind']): Promise<readonly CheckpointTask[]>
}
