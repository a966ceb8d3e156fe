import { KocoError, RefusedError, UnavailableError } from '@koco/core'
import { createCatalog, createDirectLauncher, createDirectSchedules, flowEntry, type Catalog, type Flow, type Launcher, type Schedules } from '@koco/flow'
import { createPanel, secretHash, WEBHOOK_DEFAULTS, type Panel, type SecretHash } from '@koco/panel'
import type { Spooler } from '@koco/spooler'
import type { AdminStore, ExecutionStore } from '@koco/storage'
import type { Transport } from '@koco/transport'
import type { Logger } from 'pino'
import type { Settings } from '../settings/schema.ts'
import { openCheckpoints } from './checkpoints.ts'
import { heldByRuns, markPanelFolders, openContents } from './contents.ts'
import { folderFiles, panelFiles, workspaces } from './files.ts'
import type { LauncherParts } from './launcher-parts.ts'
import { backlogMetrics, measuredTransport, processRegistry } from './metrics.ts'
import { pricesOf } from './prices.ts'
import { openReconciler, openTemporalLauncher, openTemporalSchedules, startWorker } from './temporal.ts'
import { startPruning } from './retention.ts'
import { recoverRuns, startSnapshots } from './snapshots.ts'
import { openAdmin, openExecution } from './stores.ts'
import { openTraces } from '../traces/open-traces.ts'
import { secretKey } from './secret-key.ts'
import { signInSettings } from './sign-in.ts'
import { startSpooler } from './spooler.ts'
import { openTransport } from './transport.ts'

/** Opening asks several things one after the other, and may bring tables to this version. */
const SLOW_OPENING_MS = 2000

/** Which parts of an installation run in this process. */
export type InstallationOptions = {
  readonly cwd: string
  readonly log: Logger
  readonly version: string
  /** The flows that this process serves. */
  readonly flows: readonly Flow[]
  /** Everything in this process: a spooler beside the panel and, in temporal mode, a worker. */
  readonly whole: boolean
  /** The built page, or null for the API alone. */
  readonly webDir: string | null
}

/** A running installation in this process. The panel listens only once `panel.listen` was called. */
export type Installation = {
  readonly store: ExecutionStore
  readonly admin: AdminStore
  readonly transport: Transport
  readonly catalog: Catalog
  readonly launcher: Launcher
  readonly spooler: Spooler | null
  readonly panel: Panel
  /** What is stored of sessions' and API keys' secrets. */
  readonly hashSecret: SecretHash
  /** Ends everything in order: no new requests, tries to a step border, what is in flight committed. Harmless to call twice. */
  close(graceMs: number): Promise<void>
}

/** Opens what the settings name and wires it. What was opened before a failure is closed again. */
export async function openInstallation(settings: Settings, options: InstallationOptions): Promise<Installation> {
  const opened: (() => Promise<void>)[] = []
  const closeAll = async () => {
    for (const close of opened.splice(0).toReversed()) await close()
  }
  try {
    return await wire(settings, options, opened, closeAll)
  } catch (error) {
    await closeAll()
    throw error
  }
}

async function wire(settings: Settings, options: InstallationOptions, opened: (() => Promise<void>)[], closeAll: () => Promise<void>): Promise<Installation> {
  const { cwd, log, version, webDir } = options
  await recoverRuns(settings, cwd, log)
  const [admin, store, plainTransport] = await openBases(settings, cwd, log, opened)
  const registry = processRegistry()
  const traces = await openTraces('koco-panel', version)
  opened.push(() => traces.close())
  const transport = measuredTransport(plainTransport, registry, log.child({ part: 'streams' }))
  let graceMs = 0
  const spooler = options.whole ? startSpooler({ settings, store, transport, log, registry, traces, name: 'embedded' }) : null
  opened.push(async () => spooler?.stop(graceMs))
  const catalog = createCatalog(options.flows)
  const { blobs, contents, fileContents } = await openContents(settings, cwd, opened)
  const parts = { catalog, store, transport, contents, fileContents, log }
  const { uploadDir, limits } = panelFiles(settings, cwd)
  if (settings.executionMode === 'temporal') await markPanelFolders(settings, cwd)
  if (settings.executionMode === 'temporal' && options.whole) {
    const worker = await startWorker(settings, cwd, parts)
    opened.push(() => worker.close())
  }
  const launcher = settings.executionMode === 'temporal' ? await openTemporalLauncher(settings, parts, opened) : await openDirectLauncher(settings, cwd, parts)
  opened.push(() => launcher.close(graceMs))
  const schedules =
    settings.executionMode === 'temporal' ? await openTemporalSchedules(settings, launcher, parts, opened) : openDirectSchedules(launcher, parts)
  opened.push(() => schedules.close())
  if (settings.executionMode === 'temporal') await openReconciler(settings, launcher, { ...parts, registry }, opened)
  const watcher = transport.consumer(WATCHER)
  backlogMetrics(registry, watcher)
  const hashSecret = secretHash(secretKey(settings, cwd))
  const rooms = workspaces(settings, cwd)
  const consumers = async () => (await watcher.status()).filter((one) => one.name !== WATCHER)
  const alsoHeld = () => heldByRuns(store, folderFiles(settings, cwd, fileContents), consumers)
  const checkpoints = await openCheckpoints(settings, cwd, { store, blobs, alsoHeld, workspaces: rooms, log }, opened)
  const panel = await createPanel({
    store,
    admin,
    launcher,
    schedules,
    catalog: { list: () => catalog.list().map(flowEntry) },
    signals: transport.signals,
    leases: transport.leases,
    hashSecret,
    checkTransport: () => transport.check(),
    consumers,
    uploadDir,
    workspaces: rooms,
    contents,
    fileContents,
    checkpoints,
    webDir,
    settings: { ...panelSettings(settings), prices: pricesOf(settings, cwd), ...limits },
    clock: Date.now,
    log: log.child({ part: 'panel' }),
    registry,
    version,
    onAnswer: (request) => traces.answered(request),
  })
  opened.push(() => panel.close(graceMs))
  opened.push(startPruning(settings, cwd, { store, contents, fileContents, log }))
  opened.push(startSnapshots(settings, cwd, { store, log }))
  const close = async (grace: number) => {
    graceMs = grace
    await closeAll()
  }
  return { store, admin, transport, catalog, launcher, spooler, panel, hashSecret, close }
}

/** The consumer by which the panel looks at the others; it takes no events. */
const WATCHER = 'panel'

/** What the panel is told by the settings. */
function panelSettings(settings: Settings) {
  return {
    ...signInSettings(settings),
    socketsPerUserMax: settings.wsConnectionsMax,
    auth: settings.auth,
    corsOrigins: settings.corsOrigins ?? [],
    trustedProxies: settings.trustedProxies ?? [],
    workflowUrl: workflowUrl(settings),
    auditDays: settings.auditDays,
    webhooks: { ...WEBHOOK_DEFAULTS, isPrivateAllowed: settings.webhookPrivate === 'on' },
  }
}

/** What the address of a run's workflow in Temporal's own page begins with; its fid follows. */
function workflowUrl({ temporalUi, temporalNamespace, temporalWorkflowIdPrefix }: Settings): string | null {
  if (temporalUi === undefined) return null
  return `${temporalUi.replace(/\/$/, '')}/namespaces/${encodeURIComponent(temporalNamespace)}/workflows/${encodeURIComponent(temporalWorkflowIdPrefix)}`
}

/** Opens stores and transport at the same time; those that opened are closed again when another did not. */
async function openBases(settings: Settings, cwd: string, log: Logger, opened: (() => Promise<void>)[]): Promise<[AdminStore, ExecutionStore, Transport]> {
  const outcomes = await Promise.allSettled([
    timed('admin', openAdmin(settings, cwd), log),
    timed('store', openExecution(settings, cwd), log),
    timed('transport', openTransport(settings), log),
  ] as const)
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') opened.push(() => outcome.value.close())
  }
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome): unknown => outcome.reason)
  if (failed.length > 0) throw allFaults(failed)
  const [admin, store, transport] = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined))
  return [admin, store, transport] as [AdminStore, ExecutionStore, Transport]
}

/** Says that a part was slow to open: runs will feel it, and a person who waits for the start wants to know why. */
async function timed<T>(part: string, opening: Promise<T>, log: Logger): Promise<T> {
  const begun = performance.now()
  const opened = await opening
  const ms = Math.round(performance.now() - begun)
  if (ms > SLOW_OPENING_MS) log.warn({ open_ms: ms }, `the ${part} answers slowly: opening it took ${ms} ms`)
  return opened
}

/** One error that tells all that is wrong, so that a person mends it in one go. */
function allFaults(errors: readonly unknown[]): unknown {
  const known = errors.filter((error) => error instanceof KocoError)
  const first = known[0]
  if (!first || known.length < errors.length) return errors.find((error) => !(error instanceof KocoError)) ?? first
  if (known.length === 1) return first
  const message = [...new Set(known.map((error) => error.message))].join('\n')
  // What no waiting mends a person has to hear at once, whatever else is away.
  const refused = known.find((error) => !(error instanceof UnavailableError))
  return refused ? new RefusedError(message, { code: refused.code, cause: refused }) : new UnavailableError(message, { code: first.code, cause: first })
}

function openDirectLauncher(settings: Settings, cwd: string, { catalog, store, transport, contents, fileContents, log }: LauncherParts): Promise<Launcher> {
  const child = log.child({ part: 'launcher' })
  return createDirectLauncher({
    catalog,
    store,
    transport,
    files: folderFiles(settings, cwd, fileContents),
    workspaces: workspaces(settings, cwd),
    contents,
    limits: { lockMs: settings.lockExpires * 1000 },
    log: (level, message, details) => child[level]({ details }, message),
  })
}

function openDirectSchedules(launcher: Launcher, { catalog, store, log }: LauncherParts): Schedules {
  const child = log.child({ part: 'schedules' })
  return createDirectSchedules({
    store,
    launcher,
    flows: async () => catalog.list().map(flowEntry),
    log: (level, message, details) => child[level]({ details }, message),
  })
}
