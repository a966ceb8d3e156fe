import { formatPosition, newFid, toJsonText, type EventData, type EventKind, type EventRecord } from '@koco/core'
import { createCatalog, createDirectLauncher, flowEntry, type Flow } from '@koco/flow'
import { createSpooler } from '@koco/spooler'
import { openAdminStore, type ExecutionStore, type Role } from '@koco/storage'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { createMemoryTransport, type SignalBus } from '@koco/transport'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { createApiKey, createPanel, type Panel, type PanelDeps } from '../index.ts'
import { TEST_FLOWS } from './test-flows.ts'

/** A listening panel over real parts in a throw-away folder. */
export type TestPanel = {
  readonly url: string
  readonly panel: Panel
  readonly store: ExecutionStore
  readonly admin: PanelDeps['admin']
  readonly signals: SignalBus
  readonly folder: string
  /** A new user of this role and the header that signs them in by key. */
  user(role: Role): Promise<{ readonly name: string; readonly id: string; readonly headers: { readonly authorization: string } }>
  /** A run of a user that only the test writes to. */
  run(user: string): Promise<TestRun>
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
export type TestPanelOptions = Partial<Pick<PanelDeps, 'settings' | 'webDir' | 'clock' | 'checkTransport'>> & { readonly flows?: readonly Flow[] }

/** Opens a whole embedded installation on a free port: SQLite, memory transport, spooler, direct launcher, panel. */
export async function openTestPanel(options: TestPanelOptions = {}): Promise<TestPanel> {
  const folder = await mkdtemp(join(tmpdir(), 'koco-panel-'))
  const log = pino({ level: 'silent' })
  const admin = await openAdminStore({ url: `sqlite:///${join(folder, 'admin.db')}`, migrate: true })
  const store = await createSqliteExecutionStore({ dir: join(folder, 'execution'), migrate: true })
  const transport = createMemoryTransport()
  const spooler = createSpooler({ consumer: transport.consumer('test'), signals: transport.signals, writer: store.writer, dead: store.dead, log })
  spooler.start()
  const catalog = createCatalog(options.flows ?? TEST_FLOWS)
  const launcher = await createDirectLauncher({ catalog, store, transport })
  const panel = await createPanel({
    store,
    admin,
    launcher,
    catalog: { list: () => catalog.list().map(flowEntry) },
    signals: transport.signals,
    checkTransport: options.checkTransport ?? (() => transport.check()),
    webDir: options.webDir ?? null,
    settings: options.settings ?? {},
    clock: options.clock ?? Date.now,
    log,
    registry: new Registry(),
    version: '0.0.0-test',
  })
  const { url } = await panel.listen({ host: '127.0.0.1', port: 0 })
  const parts = [
    () => panel.close(1_000),
    () => launcher.close(500),
    () => spooler.stop(1_000),
    () => transport.close(),
    () => store.close(),
    () => admin.close(),
  ]
  return {
    url,
    panel,
    store,
    admin,
    signals: transport.signals,
    folder,
    user: (role) => addUser(admin, role),
    run: (user) => addRun(store, transport.signals, user),
    async close() {
      for (const close of parts) await close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function addUser(admin: PanelDeps['admin'], role: Role): ReturnType<TestPanel['user']> {
  const name = `${role}-${randomBytes(4).toString('hex')}`
  const id = randomBytes(8).toString('hex')
  await admin.users.create({ id, name, email: `${name}@example.com`, role, active: true, createdAt: 1, passwordHash: null })
  const { key } = await createApiKey(admin, { userId: id, name: 'test' }, Date.now())
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
