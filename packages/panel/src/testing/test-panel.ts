import { formatPosition, must, newFid, toJsonText, type EventData, type EventKind, type EventRecord } from '@koco/core'
import { createFolderBlobs } from '@koco/blobs'
import { createCheckpointManager, type CheckpointManager } from '@koco/checkpoints'
import {
  createBlobContents,
  createBlobFiles,
  createCatalog,
  createDirectLauncher,
  createDirectSchedules,
  FileFolder,
  flowEntry,
  Workspaces,
  type Contents,
  type FileContents,
  type Launcher,
  type Schedules,
} from '@koco/flow'
import { createSpooler } from '@koco/spooler'
import { contentsInUse, openAdminStore, type ExecutionStore, type Role } from '@koco/storage'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { createMemoryTransport, type LeaseCounter, type SignalBus } from '@koco/transport'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { vi } from 'vitest'
import { createApiKey, createChatSessions, createPanel, secretHash, type Panel, type PanelDeps } from '../index.ts'
import { TEST_FLOWS } from './test-flows.ts'

/** A listening panel over real parts in a throw-away folder. */
export type TestPanel = {
  readonly url: string
  readonly panel: Panel
  readonly store: ExecutionStore
  readonly admin: PanelDeps['admin']
  readonly launcher: Launcher
  readonly schedules: Schedules
  readonly signals: SignalBus
  readonly leases: LeaseCounter
  readonly checkpoints: CheckpointManager
  readonly contents: Contents
  readonly fileContents: FileContents
  readonly folder: string
  /** A new user of this role and the header that signs them in by key. */
  user(role: Role): Promise<{ readonly name: string; readonly id: string; readonly headers: { readonly authorization: string } }>
  /** A run of a user that only the test writes to. */
  run(user: string): Promise<TestRun>
  /** A real run of a user that waits for the answer to a lock. */
  asking(user: string): Promise<{ readonly fid: string; readonly lid: string }>
  close(): Promise<void>
}

/** A run under the hand of a test: it writes what it likes, straight to the store. */
export type TestRun = {
  readonly fid: string
  /** Writes events of the current epoch and says so on the bus; gives the last position. `quietly`: the wake-up is lost. */
  emit(events: readonly TestEvent[], how?: 'quietly'): Promise<string>
  /** The seal, status running. */
  begin(): Promise<string>
  finish(): Promise<string>
}

/** An event by kind and data. */
export type TestEvent = { [K in EventKind]: readonly [K, EventData[K]] }[EventKind]

/** What a test may change of the panel. */
export type TestPanelOptions = Partial<
  Pick<PanelDeps, 'settings' | 'webDir' | 'uploadDir' | 'clock' | 'checkTransport' | 'consumers' | 'signals' | 'leases' | 'admin'>
> & {
  /** Default: a free one. */
  readonly port?: number
}

/** What stands under the panels of one test file: SQLite, memory transport, spooler, direct launcher. Opening these takes a second, so they are shared. */
async function openParts() {
  const folder = await mkdtemp(join(tmpdir(), 'koco-panel-'))
  const store = await createSqliteExecutionStore({ dir: join(folder, 'execution'), migrate: true })
  const transport = createMemoryTransport()
  const spooler = createSpooler({ consumer: transport.consumer('test'), signals: transport.signals, writer: store.writer, dead: store.dead, log })
  spooler.start()
  const catalog = createCatalog(TEST_FLOWS)
  const blobs = createFolderBlobs({ dir: join(folder, 'blobs') })
  const contents = createBlobContents(blobs, { shared: true })
  const fileContents = createBlobFiles(blobs, { shared: true })
  const launcher = await createDirectLauncher({ catalog, store, transport, contents, files: new FileFolder(join(folder, 'uploads'), {}, fileContents) })
  const schedules = createDirectSchedules({ store, launcher, flows: async () => TEST_FLOWS.map(flowEntry) })
  return { folder, store, transport, blobs, contents, fileContents, spooler, catalog, launcher, schedules, adminFiles: 0 }
}

const log = pino({ level: 'silent' })
/** The key of the installation in tests. */
export const TEST_SECRET_KEY = 'a key for tests, long enough for one'
const hashSecret = secretHash(TEST_SECRET_KEY)
let parts: ReturnType<typeof openParts> | undefined

/** Closes what the panels of this file stood on; for `afterAll`. */
export async function closeTestParts(): Promise<void> {
  if (!parts) return
  const { launcher, schedules, spooler, transport, contents, fileContents, store, folder } = await parts
  await schedules.close()
  await launcher.close(500)
  await contents.close()
  await fileContents.close()
  await spooler.stop(1_000)
  await transport.close()
  await store.close()
  await rm(folder, { recursive: true, force: true })
}

/** Opens a panel on a free port, with users of its own, over the parts of this test file. */
export async function openTestPanel(options: TestPanelOptions = {}): Promise<TestPanel> {
  const under = await (parts ??= openParts())
  const { folder, store, transport, catalog, launcher, schedules, blobs, contents, fileContents } = under
  const admin = options.admin ?? (await openAdminStore({ url: `sqlite:///${join(folder, `admin-${++under.adminFiles}.db`)}`, migrate: true }))
  const watcher = transport.consumer('panel')
  const workspaces = new Workspaces(join(folder, 'workspaces'))
  const sessions = createChatSessions({ store, workspaces, clock: Date.now })
  const checkpoints = createCheckpointManager({
    dir: join(folder, 'checkpoints'),
    blobs,
    alsoHeld: async () => [...(await contentsInUse(store)), ...(await new FileFolder(join(folder, 'uploads'), {}, fileContents).contentsInUse())],
    store: store.checkpoints,
    sessions,
  })
  const panel = await createPanel({
    store,
    admin,
    launcher,
    schedules,
    catalog: { list: () => catalog.list().map(flowEntry) },
    signals: options.signals ?? transport.signals,
    leases: options.leases ?? transport.leases,
    hashSecret,
    checkTransport: options.checkTransport ?? (() => transport.check()),
    consumers: options.consumers ?? (async () => (await watcher.status()).filter((one) => one.name !== 'panel')),
    uploadDir: options.uploadDir ?? join(folder, 'uploads'),
    workspaces,
    contents,
    fileContents,
    checkpoints,
    webDir: options.webDir ?? null,
    settings: options.settings ?? {},
    clock: options.clock ?? Date.now,
    log,
    registry: new Registry(),
    version: '0.0.0-test',
  })
  const { url } = await panel.listen({ host: '127.0.0.1', port: options.port ?? 0 })
  return {
    url,
    panel,
    store,
    admin,
    launcher,
    schedules,
    signals: transport.signals,
    leases: transport.leases,
    checkpoints,
    contents,
    fileContents,
    folder,
    user: (role) => addUser(admin, role),
    run: (user) => addRun(store, transport.signals, user),
    async asking(user) {
      const { fid } = await launcher.start({ flow: 'ask', inputs: {}, user, idempotencyKey: null })
      const lid = await vi.waitUntil(async () => (await store.locks.list({ fid, limit: 1 })).items[0]?.lid, { timeout: 25_000, interval: 20 })
      return { fid, lid: must(lid, 'the lock') }
    },
    async close() {
      await panel.close(1_000)
      if (!options.admin) await admin.close()
    },
  }
}

async function addUser(admin: PanelDeps['admin'], role: Role): ReturnType<TestPanel['user']> {
  const name = `${role}-${randomBytes(4).toString('hex')}`
  const id = randomBytes(8).toString('hex')
  await admin.users.create({ id, name, email: `${name}@example.com`, role, active: true, createdAt: 1, passwordHash: null })
  const { key } = await createApiKey(admin, hashSecret, { userId: id, name: 'test' }, Date.now())
  return { name, id, headers: { authorization: `Bearer ${key}` } }
}

async function addRun(store: ExecutionStore, signals: SignalBus, user: string): Promise<TestRun> {
  const fid = newFid(Date.now(), randomBytes(8))
  const about = { flow: 'by-hand', version: null, summary: 'A run under a test', tags: ['test'] }
  await store.runs.create({ fid, ...about, user, parent: null, inputs: {}, createdAt: Date.now() / 1000, launcher: 'test', idempotencyKey: null })
  const epoch = Date.now()
  let seq = 0
  const emit: TestRun['emit'] = async (events, how) => {
    const records = events.map(([kind, data]): EventRecord => ({ epoch, seq: ++seq, ts: 1_700_000_000 + seq / 1000, kind, step: null, data: toJsonText(data) }))
    const { runs } = await store.writer.write([{ fid, records }])
    const committed = runs.map(({ top, ended }) => ({ topic: 'committed', fid, position: formatPosition(top), ended }) as const)
    if (how !== 'quietly') await signals.publish(committed)
    return `${epoch}-${seq}`
  }
  return {
    fid,
    emit,
    begin: () =>
      emit([
        ['attempt', { attempt: 1, reason: 'start', owner: 'test', prev: '0-0' }],
        ['status', { status: 'starting' }],
        ['inputs', { inputs: {} }],
        ['meta', { ...about, user }],
        ['status', { status: 'running' }],
      ]),
    finish: () =>
      emit([
        ['final', { type: 'text', value: 'done' }],
        ['status', { status: 'finished' }],
      ]),
  }
}
