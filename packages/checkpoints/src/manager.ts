import { resolve } from 'node:path'
import { RefusedError } from '@koco/core'
import type { BlobStore, CompressionLevel, CrashPoint } from '@koco/blobs'
import type { CheckpointQuery, CheckpointRow, CheckpointStore, CheckpointTotals, CheckpointWords } from '@koco/storage'
import type { Page } from '@koco/storage'
import type { Readable } from 'node:stream'
import { ManifestFiles } from './manifest/files.ts'
import { createAuto, type Auto, type AutoOptions } from './operations/auto.ts'
import { compare, type Comparison } from './operations/compare.ts'
import { create, type CreateOptions } from './operations/create.ts'
import { remove } from './operations/delete.ts'
import { exportStream, exportTo } from './operations/export.ts'
import { fileContent } from './operations/file-content.ts'
import { gc, type Collection } from './operations/gc.ts'
import { get, update } from './operations/get.ts'
import { importFrom, type ImportOptions } from './operations/import.ts'
import { checkIntegrity, type Integrity } from './operations/integrity.ts'
import { lock, unlock } from './operations/lock.ts'
import { merge, type MergeOptions, type MergeOutcome } from './operations/merge.ts'
import type { RestorePlan } from './operations/plan-restore.ts'
import { dryRun, restore } from './operations/restore.ts'
import type { Restored, RestoreOptions } from './operations/restored.ts'
import { resumeRestores } from './operations/restore-in-place.ts'
import { applyRetention, type Retention } from './operations/retention.ts'
import { tree, type Branch, type Tree } from './operations/tree.ts'
import { repair, validate, type Repair, type Validation } from './operations/validate.ts'
import { mustFind, type Checkpoint, type Parts } from './parts.ts'
import type { CheckpointSessions } from './port.ts'
import { SharedPins } from './shared-pins.ts'

/**
 * `dir`: of the manifests. `maxCheckpoints`: of one session, default 100; a new one makes the oldest go that nobody needs. `compressionLevel`: 0 to 9, default 6. `autoCheckpointIntervalS`: of
 * `enableAuto`, default 300. `checkpointOnError`: whether a failing turn makes one, default true. `exclusive`: as of the execution store, where several processes have the same sessions. `alsoHeld`: hashes that others hold in the same content store, asked for at each collection. `clock`: ms
 * since 1970. `crash`: for crash tests.
 */
export type CheckpointManagerOptions = {
  readonly dir: string
  readonly blobs: BlobStore
  readonly store: CheckpointStore
  readonly sessions?: CheckpointSessions
  readonly maxCheckpoints?: number
  readonly compressionLevel?: CompressionLevel
  readonly autoCheckpointIntervalS?: number
  readonly checkpointOnError?: boolean
  readonly alsoHeld?: () => Promise<Iterable<string>>
  readonly exclusive?: Parts['exclusive']
  readonly clock?: () => number
  readonly onProblem?: (sessionId: string, error: unknown) => void
  readonly crash?: CrashPoint
}

/** What can be done with checkpoints. Each operation's file says what it promises and which errors it raises. */
export interface CheckpointManager {
  create(sessionId: string, options?: CreateOptions): Promise<Checkpoint>
  get(id: string): Promise<Checkpoint>
  exists(id: string): Promise<boolean>
  update(id: string, change: Partial<CheckpointWords>): Promise<Checkpoint>
  delete(id: string): Promise<boolean>
  fileContent(id: string, path: string): Promise<{ readonly file: Checkpoint['files'][number]; readonly content: Readable }>
  restore(id: string, options?: RestoreOptions): Promise<Restored>
  dryRun(id: string, options?: RestoreOptions): Promise<RestorePlan>
  listBranches(sessionId: string): Promise<readonly Branch[]>
  tree(sessionId: string): Promise<Tree>
  compare(id1: string, id2: string): Promise<Comparison>
  merge(ours: string, theirs: string, options: MergeOptions): Promise<MergeOutcome>
  list(query?: Partial<CheckpointQuery>): Promise<Page<CheckpointRow>>
  search(what: { readonly text?: string; readonly metadata?: CheckpointQuery['metadata'] } & Partial<CheckpointQuery>): Promise<Page<CheckpointRow>>
  totals(user?: string): Promise<CheckpointTotals>
  lock(id: string, by?: { readonly by?: string; readonly reason?: string | null }): Promise<CheckpointRow>
  unlock(id: string): Promise<CheckpointRow>
  isLocked(id: string): Promise<boolean>
  exportTo(id: string, file: string): Promise<void>
  exportStream(id: string): Promise<Readable>
  importFrom(source: string | Readable, options?: ImportOptions): Promise<Checkpoint>
  enableAuto(sessionId: string, options?: AutoOptions): Promise<void>
  disableAuto(sessionId: string): Promise<void>
  isAutoEnabled(sessionId: string): Promise<boolean>
  /** Of `enableAuto`; null when it is not enabled. */
  autoIntervalS(sessionId: string): Promise<number | null>
  /** Takes up what processes before have left: restores in place that they died at are finished, automatic checkpoints go on. Call it at the start, and again now and then, for what others leave. */
  resume(): Promise<void>
  turnFailed: Auto['turnFailed']
  applyRetention(retention?: Retention): Promise<readonly string[]>
  cleanupOlderThan(days: number): Promise<readonly string[]>
  /** Bytes that this checkpoint added: what is kept for it and not for its parent. */
  size(id: string): Promise<number>
  checkIntegrity(id: string, options?: { readonly deep?: boolean }): Promise<Integrity>
  validate(options?: { readonly id?: string | undefined; readonly deep?: boolean | undefined }): Promise<Validation>
  repair(options?: { readonly id?: string | undefined }): Promise<Repair>
  gc(options?: Parameters<typeof gc>[1]): Promise<Collection>
  /** Ends what runs by the clock. The stores that it was given stay open. */
  close(): Promise<void>
}

const LIST_LIMIT = 100

/** Checkpoints of sessions in a content store, with an index. RefusedError `bad_setting`. */
export function createCheckpointManager(options: CheckpointManagerOptions): CheckpointManager {
  const parts = partsOf(options)
  const onProblem = options.onProblem ?? (() => undefined)
  const auto = createAuto(parts, {
    intervalS: options.autoCheckpointIntervalS ?? 300,
    onError: options.checkpointOnError ?? true,
    onProblem,
  })
  const list = (query: Partial<CheckpointQuery> = {}) => parts.store.list({ limit: LIST_LIMIT, ...query })
  return {
    create: (sessionId, given) => create(parts, sessionId, given),
    get: (id) => get(parts, id),
    exists: async (id) => (await parts.store.get(id)) !== undefined,
    update: (id, change) => update(parts, id, change),
    delete: (id) => remove(parts, id),
    fileContent: (id, path) => fileContent(parts, id, path),
    restore: (id, given) => restore(parts, id, given),
    dryRun: (id, given) => dryRun(parts, id, given),
    listBranches: async (sessionId) => (await tree(parts, sessionId)).branches,
    tree: (sessionId) => tree(parts, sessionId),
    compare: (id1, id2) => compare(parts, id1, id2),
    merge: (ours, theirs, given) => merge(parts, ours, theirs, given),
    list,
    search: ({ text, ...query }) => list({ ...query, ...(text !== undefined && { q: text }) }),
    totals: (user) => parts.store.totals(user),
    lock: (id, by) => lock(parts, id, by),
    unlock: (id) => unlock(parts, id),
    isLocked: async (id) => (await mustFind(parts, id)).lock !== null,
    exportTo: (id, file) => exportTo(parts, id, file),
    exportStream: (id) => exportStream(parts, id),
    importFrom: (source, given) => importFrom(parts, source, given),
    enableAuto: (sessionId, given) => auto.enable(sessionId, given),
    disableAuto: (sessionId) => auto.disable(sessionId),
    isAutoEnabled: async (sessionId) => (await auto.intervalOf(sessionId)) !== null,
    autoIntervalS: (sessionId) => auto.intervalOf(sessionId),
    async resume() {
      for (const { session, error } of await resumeRestores(parts)) onProblem(session, error)
      await auto.look()
    },
    turnFailed: (sessionId, error) => auto.turnFailed(sessionId, error),
    applyRetention: (retention) => applyRetention(parts, { keep: parts.maxCheckpoints, ...retention }),
    cleanupOlderThan: (days) => applyRetention(parts, { days }),
    size: async (id) => (await mustFind(parts, id)).added,
    checkIntegrity: (id, given) => checkIntegrity(parts, id, given),
    validate: (given) => validate(parts, given),
    repair: (given) => repair(parts, given),
    gc: (given) => gc(parts, { also: options.alsoHeld, ...given }),
    close: () => auto.close(),
  }
}

function partsOf({
  dir,
  blobs,
  store,
  sessions,
  maxCheckpoints = 100,
  compressionLevel = 6,
  exclusive = () => Promise.resolve(() => Promise.resolve()),
  clock = Date.now,
  crash = () => undefined,
}: CheckpointManagerOptions): Parts {
  if (!Number.isSafeInteger(maxCheckpoints) || maxCheckpoints < 1) {
    throw new RefusedError(`maxCheckpoints is a whole number above 0, not ${maxCheckpoints}.`, { code: 'bad_setting' })
  }
  if (!Number.isInteger(compressionLevel) || compressionLevel < 0 || compressionLevel > 9) {
    throw new RefusedError(`compressionLevel is a whole number from 0 to 9, not ${String(compressionLevel)}.`, { code: 'bad_setting' })
  }
  const manifests = new ManifestFiles(resolve(dir), blobs, crash)
  return { store, blobs, pins: new SharedPins(blobs), manifests, sessions: sessions ?? null, compressionLevel, maxCheckpoints, exclusive, clock, crash }
}
