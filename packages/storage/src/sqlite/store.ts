import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { assert } from '@koco/core'
import Database from 'better-sqlite3'
import type { EventPage, EventQuery, RunRecords, WriteResult } from '../port/events.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import { checkBatch } from '../records.ts'
import { packBatch, type ResultMessage, unpackResult } from './batch-message.ts'
import { openIndex } from './connection.ts'
import { prepareDataFolder } from './data-folder.ts'
import { toKocoError } from './errors.ts'
import type { CrashAt, ThreadData } from './protocol.ts'
import { sqliteKeeper } from './keeper.ts'
import { prepareSchema, SCHEMA_VERSION, schemaVersion } from './schema.ts'
import { ThreadClient } from './thread-client.ts'
import { webhookCalls } from './webhooks.ts'

/**
 * `dir`: the data folder, made when it is missing. `migrate`: make or update the tables by itself, default false. `takesEvents`: false for a process that only reads events; it has no thread that moves them into
 * the runs' files, and `writer.write` throws. Default true. `chunkBytesMax`: how much may wait for its run's file, default 64 MiB. `crashAt`: for crash tests.
 */
export type SqliteStoreOptions = {
  readonly dir: string
  readonly migrate?: boolean
  readonly takesEvents?: boolean
  readonly chunkBytesMax?: number
  readonly crashAt?: CrashAt
}

type Threads = { readonly writer: ThreadClient; readonly reader: ThreadClient; readonly filer: ThreadClient | null }

/**
 * Opens the execution store in a folder: `index.db` and a file a run. All work is done in threads. Throws RefusedError `bad_data_folder`, `schema_older`, `schema_newer`; UnavailableError.
 * Several processes of one host may have it open at once; not over a network file system.
 */
export async function createSqliteExecutionStore(options: SqliteStoreOptions): Promise<ExecutionStore> {
  const dir = prepareDataFolder(options.dir)
  const threads = await startThreads(dir, options)
  const { writer, reader } = threads
  return {
    writer: { write: async (batch) => await write(threads, batch) },
    reader: { read: (fid, query: EventQuery) => reader.call<EventPage>('read', fid, query) },
    runs: {
      create: (run) => writer.call('create', run),
      get: (fid) => reader.call('getRun', fid),
      list: (query) => reader.call('listRuns', query),
      nextEpoch: (fid, nowMs) => writer.call('nextEpoch', fid, nowMs),
      unfinished: (launcher, after, limit) => reader.call('unfinishedRuns', launcher, after, limit),
      request: (fid, control) => writer.call('request', fid, control),
      wanted: (fid) => reader.call('wantedOf', fid),
      archive: (fid, archived) => writer.call('archive', fid, archived),
      children: (parent, after, limit) => reader.call('childrenOf', parent, after, limit),
      counts: (among) => reader.call('countRuns', among?.parent ?? null),
    },
    locks: {
      get: (fid, lid) => reader.call('getLock', fid, lid),
      list: (query) => reader.call('listLocks', query),
      answer: (fid, answer) => writer.call('answer', fid, answer),
      answers: (fid) => reader.call('answersOf', fid),
    },
    dead: {
      add: (event) => writer.call('addDead', event),
      list: (query) => reader.call('listDead', query),
      get: (id) => reader.call('getDead', id),
      discard: (id) => writer.call('discardDead', id),
    },
    flows: {
      heartbeat: (worker, flows) => writer.call('heartbeat', worker, flows),
      leave: (workerId) => writer.call('leave', workerId),
      list: () => reader.call('listFlows'),
    },
    schedules: {
      create: (schedule) => writer.call('createSchedule', schedule),
      get: (id) => reader.call('getSchedule', id),
      list: (query) => reader.call('listSchedules', query),
      due: (launcher, at, limit) => reader.call('dueSchedules', launcher, at, limit),
      pause: (id, paused, nextAt) => writer.call('pauseSchedule', id, paused, nextAt),
      advance: (id, from, step) => writer.call('advanceSchedule', id, from, step),
      delete: (id) => writer.call('deleteSchedule', id),
    },
    sessions: {
      create: (session) => writer.call('createSession', session),
      get: (id) => reader.call('getSession', id),
      read: (id, query = {}) => reader.call('readSession', id, query),
      list: (query) => reader.call('listSessions', query),
      search: (query) => reader.call('searchSessions', query),
      change: (id, command, options) => writer.call('changeSession', id, command, options),
      setDraft: (id, draft) => writer.call('setSessionDraft', id, draft),
      draft: (id) => reader.call('draftOf', id),
      held: (after, limit) => reader.call('heldSessions', after, limit),
      delete: (id) => writer.call('deleteSession', id),
    },
    keeper: sqliteKeeper(dir, writer, reader),
    ...spending(threads),
    checkpoints: checkpointCalls(threads),
    contents: contentCalls(threads),
    webhooks: webhookCalls(threads),
    check: async () => await check(threads),
    exclusive: async (name) => await exclusive(reader, name),
    close: async () => await close(threads),
  }
}

function spending({ writer, reader }: Threads): Pick<ExecutionStore, 'budgets' | 'insights'> {
  return {
    budgets: {
      put: (budget) => writer.call('putBudget', budget),
      list: () => reader.call('listBudgets'),
      delete: (id) => writer.call('deleteBudget', id),
    },
    insights: {
      runs: (query, by) => reader.call('countRunDays', query, by),
      models: (query, by) => reader.call('sumModelDays', query, by),
    },
  }
}

/** Makes or updates the tables under a folder; gives what was done, one line a step. */
export function migrateSqliteTables(dir: string): string[] {
  const path = prepareDataFolder(dir)
  const db = openIndex(path)
  try {
    const before = schemaVersion(db)
    prepareSchema(db, true)
    return Array.from({ length: SCHEMA_VERSION - before }, (_, i) => `index.db: schema ${before + i + 1}`)
  } catch (error) {
    throw toKocoError(error, path)
  } finally {
    db.close()
  }
}

/** The schema version found under a folder (0: none) and the one wanted. Writes nothing. */
export function readSqliteVersion(dir: string): { found: number; wanted: number } {
  const file = join(dir, 'index.db')
  if (!existsSync(file)) return { found: 0, wanted: SCHEMA_VERSION }
  const db = new Database(file, { readonly: true })
  try {
    return { found: schemaVersion(db), wanted: SCHEMA_VERSION }
  } catch (error) {
    throw toKocoError(error, dir)
  } finally {
    db.close()
  }
}

async function startThreads(dir: string, options: SqliteStoreOptions): Promise<Threads> {
  const { migrate = false, takesEvents = true, chunkBytesMax = 64 << 20, crashAt = null } = options
  const ports = takesEvents ? new MessageChannel() : { port1: null, port2: null }
  const data = { dir, migrate, chunkBytesMax, crashAt, gate: new Int32Array(new SharedArrayBuffer(4)) }
  const start = async (more: Pick<ThreadData, 'role' | 'peer'>): Promise<ThreadClient> => await ThreadClient.start({ ...data, ...more })
  const [writer, reader, filer] = await Promise.allSettled([
    start({ role: 'writer', peer: ports.port1 }),
    start({ role: 'reader', peer: null }),
    ports.port2 && start({ role: 'filer', peer: ports.port2 }),
  ])
  if (writer.status === 'fulfilled' && reader.status === 'fulfilled' && filer.status === 'fulfilled')
    return { writer: writer.value, reader: reader.value, filer: filer.value }
  const failed = [writer, reader, filer].find((thread) => thread.status === 'rejected')
  await Promise.all([filer, reader, writer].map(async (thread) => thread.status === 'fulfilled' && (await thread.value?.close())))
  throw failed?.reason
}

function checkpointCalls({ writer, reader }: Threads): ExecutionStore['checkpoints'] {
  return {
    insert: (row) => writer.call('insertCheckpoint', row),
    get: (id) => reader.call('getCheckpoint', id),
    describe: (id, revision, words) => writer.call('describeCheckpoint', id, revision, words),
    setLock: (id, lock) => writer.call('lockCheckpoint', id, lock),
    delete: (id) => writer.call('deleteCheckpoint', id),
    list: (query) => reader.call('listCheckpoints', query),
    ancestors: (id) => reader.call('checkpointAncestors', id),
    family: (session) => reader.call('checkpointFamily', session),
    totals: (user) => reader.call('checkpointTotals', user ?? null),
    setTask: (task) => writer.call('setCheckpointTask', task),
    dropTask: (kind, session) => writer.call('dropCheckpointTask', kind, session),
    tasks: (kind) => reader.call('checkpointTasks', kind),
  }
}

function contentCalls({ reader }: Threads): ExecutionStore['contents'] {
  return {
    get: (fid, sha256) => reader.call('contentOfRun', fid, sha256),
    hashes: (after, limit) => reader.call('contentHashes', after, limit),
    totals: () => reader.call('contentTotals'),
  }
}

async function write({ writer, filer }: Threads, batch: readonly RunRecords[]): Promise<WriteResult> {
  assert(filer, 'events are written to a store that was opened with takesEvents: false')
  checkBatch(batch)
  const packed = packBatch(batch)
  if (packed.fids.length === 0) return { runs: [], alarms: [] }
  return unpackResult(packed.fids, await writer.call<ResultMessage>('write', packed))
}

async function check({ writer, filer }: Threads): Promise<void> {
  await writer.call('check', Date.now() / 1000)
  if (filer?.problem) throw filer.problem
}

async function exclusive(reader: ThreadClient, name: string): Promise<(() => Promise<void>) | undefined> {
  const token = await reader.call<number | undefined>('takeExclusive', name)
  if (token === undefined) return undefined
  return async () => await reader.call('giveBack', token)
}

/** Together, because writer and filer say their last words to each other. */
async function close({ writer, reader, filer }: Threads): Promise<void> {
  await Promise.all([reader.close(), filer?.close(), writer.close()])
}
