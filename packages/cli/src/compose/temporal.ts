import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RefusedError } from '@koco/core'
import type { Launcher, Schedules } from '@koco/flow'
import type { TemporalSettings } from '@koco/temporal'
import type { TemporalWorker } from '@koco/temporal/worker'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { dataFolder } from '../settings/addresses.ts'
import type { Settings } from '../settings/schema.ts'
import { workerFiles, workspaces } from './files.ts'
import type { LauncherParts } from './launcher-parts.ts'
import { watchTemporal } from './watch-temporal.ts'

/** What a worker may be told beside the settings. */
export type WorkerOptions = { readonly slots?: number; readonly graceMs?: number; readonly withFigures?: boolean }

/** Where Temporal is, as the settings say. */
export function temporalPlace(settings: Settings): TemporalSettings {
  return {
    address: settings.temporalHost,
    namespace: settings.temporalNamespace,
    taskQueue: settings.temporalTaskQueue,
    workflowIdPrefix: settings.temporalWorkflowIdPrefix,
    executionTimeoutS: settings.temporalExecutionTimeout ?? null,
    ...(settings.temporalTlsCa !== undefined && { tls: temporalTls(settings, settings.temporalTlsCa) }),
  }
}

function temporalTls({ temporalTlsCert: cert, temporalTlsKey: key }: Settings, ca: string): NonNullable<TemporalSettings['tls']> {
  return {
    ca: pem('KODO_TEMPORAL_TLS_CA', ca),
    ...(cert !== undefined && key !== undefined && { client: { cert: pem('KODO_TEMPORAL_TLS_CERT', cert), key: pem('KODO_TEMPORAL_TLS_KEY', key) } }),
  }
}

function pem(variable: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new RefusedError(`${variable}: ${file} cannot be read (${why}).`, { code: 'bad_settings', cause: error })
  }
}

/** The launcher of a panel whose runs are workflows. Temporal may be away: then what needs it is answered so. `opened` takes what is to be closed after it. */
export async function openTemporalLauncher(settings: Settings, parts: Omit<LauncherParts, 'catalog'>, opened: (() => Promise<void>)[]): Promise<Launcher> {
  // Only here: direct mode runs without the SDK.
  const { createTemporalLauncher, TemporalServer } = await import('@koco/temporal')
  const server = new TemporalServer(temporalPlace(settings))
  opened.push(() => server.close())
  return createTemporalLauncher({ server, store: parts.store, transport: parts.transport, log: lineTo(parts.log.child({ part: 'launcher' })) })
}

/** The schedules of a panel whose runs are workflows: Temporal keeps them. `opened` takes what is to be closed after them. */
export async function openTemporalSchedules(settings: Settings, launcher: Launcher, parts: LauncherParts, opened: (() => Promise<void>)[]): Promise<Schedules> {
  const { createTemporalSchedules, TemporalServer } = await import('@koco/temporal')
  const server = new TemporalServer(temporalPlace(settings))
  opened.push(() => server.close())
  return createTemporalSchedules({ server, store: parts.store, launcher, log: lineTo(parts.log.child({ part: 'schedules' })) })
}

/** Compares runs, streams and Temporal every minute, in one of the installation's processes, and watches whether Temporal is there. `opened` takes what is to be closed after it. */
export async function openReconciler(
  settings: Settings,
  launcher: Launcher,
  parts: LauncherParts & { readonly registry: Registry },
  opened: (() => Promise<void>)[],
): Promise<void> {
  const { startReconciler, TemporalServer } = await import('@koco/temporal')
  const server = new TemporalServer(temporalPlace(settings))
  opened.push(() => server.close())
  const { store, transport, log, registry } = parts
  const unwatch = watchTemporal(server, log, registry)
  opened.push(async () => unwatch())
  const reconciler = startReconciler({ server, store, transport, launcher, log: lineTo(log.child({ part: 'reconciler' })) })
  opened.push(() => reconciler.close())
}

/** Starts a worker of the flows in the catalogue. UnavailableError when Temporal does not answer. */
export async function startWorker(settings: Settings, cwd: string, parts: LauncherParts, options: WorkerOptions = {}): Promise<TemporalWorker> {
  const { startTemporalWorker } = await import('@koco/temporal/worker')
  const { store, transport, catalog, contents, fileContents, log } = parts
  return startTemporalWorker({
    settings: temporalPlace(settings),
    store,
    transport,
    catalog,
    cacheDir: join(dataFolder(settings, cwd), 'cache'),
    files: workerFiles(settings, cwd, fileContents),
    workspaces: workspaces(settings, cwd),
    contents,
    limits: { lockMs: settings.lockExpires * 1000 },
    log: lineTo(log.child({ part: 'worker' })),
    ...options,
  })
}

/** A logger as the packages below take it. */
export function lineTo(log: Logger): (level: 'info' | 'warn' | 'error', message: string, details?: unknown) => void {
  return (level, message, details) => log[level]({ details }, message)
}
