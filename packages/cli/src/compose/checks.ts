import { createServer } from 'node:net'
import { constants, existsSync } from 'node:fs'
import { access, rm, statfs, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { UnavailableError } from '@koco/core'
import { adminSchemaVersion, executionSchemaVersion, maskDatabaseUrl } from '@koco/storage'
import { findFlows } from '../flows/find.ts'
import { loadFlows } from '../flows/load.ts'
import { isPostgres, panelListen } from '../settings/addresses.ts'
import type { Settings } from '../settings/schema.ts'
import { contentFolder, isShared, openContents } from './contents.ts'
import { isMarked } from './panel-folder.ts'
import { adminPlace, executionPlace, openExecution } from './stores.ts'
import { temporalPlace } from './temporal.ts'
import { openTransport } from './transport.ts'

/** One thing that was looked at. `detail` says what was found and, unless all is well, what to do. */
export type Finding = { readonly state: 'well' | 'note' | 'ill'; readonly what: string; readonly detail: string; readonly unreachable: boolean }

const SPACE_MIN_BYTES = 256 * 1024 * 1024
const SKEW_MAX_MS = 1000
const CHECK_MS = 15_000
const BEHIND_S = 15
/** The consumer by which the others are looked at; it takes no events. */
const WATCHER = 'doctor'

type Look = () => Promise<string | { readonly note: string }>

/** Looks at everything that the settings name; one check that fails stops no other. */
export async function runChecks(settings: Settings, cwd: string): Promise<Finding[]> {
  const looks: [string, Look][] = [
    ['node', async () => process.version],
    ['flows', () => lookAtFlows(settings, cwd)],
    ['runs folder', () => lookAtFolder(resolve(cwd, settings.execDir))],
    ['uploads folder', () => lookAtUploads(settings, resolve(cwd, settings.uploadDir))],
    ['content store', () => lookAtContents(settings, cwd)],
    ['execution store', () => lookAtExecution(settings, cwd)],
    ['admin store', () => lookAtSchema(adminSchemaVersion(adminPlace(settings, cwd)), isPostgres(settings.adminDatabase), settings.adminDatabase)],
    ['transport', () => lookAtTransport(settings)],
    ['events', () => lookAtEvents(settings, cwd)],
    ['address', () => lookAtAddress(settings)],
  ]
  if (settings.eventTransport === 'memory') looks.splice(-2, 1)
  if (settings.executionDatabase !== undefined) looks.splice(2, 1)
  if (settings.executionMode === 'temporal') looks.push(['temporal', () => lookAtTemporal(settings)])
  const findings: Finding[] = []
  for (const [what, look] of looks) findings.push(await check(what, look))
  return findings
}

async function check(what: string, look: Look): Promise<Finding> {
  try {
    const found = await withTimeout(look())
    return typeof found === 'string'
      ? { state: 'well', what, detail: found, unreachable: false }
      : { state: 'note', what, detail: found.note, unreachable: false }
  } catch (error) {
    return { state: 'ill', what, detail: error instanceof Error ? error.message : String(error), unreachable: error instanceof UnavailableError }
  }
}

function withTimeout<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new UnavailableError(`no answer within ${CHECK_MS / 1000} s`, { code: 'no_answer' })), CHECK_MS)
  return Promise.race([work, promise]).finally(() => clearTimeout(timer))
}

async function lookAtFlows(settings: Settings, cwd: string): Promise<string> {
  const file = findFlows(settings.flows, cwd)
  const { flows } = await loadFlows(file)
  return `${flows.map((flow) => flow.name).join(', ')} in ${file}`
}

/** Workers of Temporal may be on other hosts; what they would write into a folder of their own is refused there. */
async function lookAtUploads(settings: Settings, folder: string): Promise<string | { readonly note: string }> {
  const found = await lookAtFolder(folder)
  if (typeof found !== 'string' || settings.executionMode !== 'temporal' || settings.files === 'panel' || isMarked(folder)) return found
  return { note: `${found}, but no panel keeps files in it yet: if the panel runs on another host, let this one see its folder, or set KODO_FILES=panel` }
}

async function lookAtFolder(folder: string): Promise<string | { readonly note: string }> {
  if (!existsSync(folder)) return lookAtParent(folder)
  const probe = join(folder, `.koco-doctor-${process.pid}`)
  try {
    await writeFile(probe, 'x')
  } catch (error) {
    throw new Error(
      `${folder} cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)}): give this user the right to, or name another folder`,
      { cause: error },
    )
  }
  await rm(probe)
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < SPACE_MIN_BYTES) return { note: `${folder} has only ${Math.round((bavail * bsize) / 1024 / 1024)} MiB left: make room` }
  return `${folder} can be written`
}

/** Asks for a content that nobody has: a bucket that cannot be reached says so. */
async function lookAtContents(settings: Settings, cwd: string): Promise<string | { readonly note: string }> {
  const opened: (() => Promise<void>)[] = []
  const { blobs } = await openContents(settings, cwd, opened)
  try {
    await blobs.stat('0'.repeat(64))
  } finally {
    for (const close of opened.toReversed()) await close()
  }
  const place = settings.blobStore ?? contentFolder(settings, cwd) ?? ''
  if (isShared(settings)) return `${place} keeps checkpoints, large results of steps and large files of runs`
  return {
    note: `${place} keeps checkpoints only: results of steps stay in their events, up to 256 KiB, and files of runs whole in KODO_UPLOAD_DIR. With a place that every host sees in KODO_BLOB_STORE (s3://… or file:///…) results have up to 16 MiB, and equal files are kept once`,
  }
}

/** A folder that is not there yet is made at the first start, if the nearest one above it lets us. */
async function lookAtParent(folder: string): Promise<string> {
  let parent = dirname(folder)
  while (!existsSync(parent) && dirname(parent) !== parent) parent = dirname(parent)
  try {
    await access(parent, constants.W_OK)
  } catch (error) {
    throw new Error(`${folder} cannot be made: this user may not write in ${parent}; give it the right to, or name another folder`, { cause: error })
  }
  return `${folder}, not made yet: the first start makes it`
}

async function lookAtExecution(settings: Settings, cwd: string): Promise<string | { readonly note: string }> {
  const found = await lookAtSchema(
    executionSchemaVersion(executionPlace(settings, cwd)),
    settings.executionDatabase !== undefined,
    settings.executionDatabase ?? settings.execDir,
  )
  if (typeof found !== 'string' || settings.executionDatabase === undefined) return found
  const store = await openExecution(settings, cwd)
  try {
    await store.check()
    return await withClock(store, `${found}, takes writes`)
  } finally {
    await store.close()
  }
}

async function lookAtSchema(
  reading: Promise<{ readonly found: number; readonly wanted: number }>,
  server: boolean,
  place: string,
): Promise<string | { readonly note: string }> {
  const { found, wanted } = await reading
  const where = maskDatabaseUrl(place)
  if (found > wanted) throw new Error(`${where} was made by a newer koco (schema ${found}, this one knows ${wanted}): update koco`)
  if (found === wanted) return `${where}, schema ${found}`
  if (server) throw new Error(`${where} has schema ${found} of ${wanted}: run koco db --create-tables`)
  return found === 0 ? `${where}, not made yet: the first start makes it` : { note: `${where} has schema ${found} of ${wanted}: the next start brings it up` }
}

/** openTransport has checked version, mode and eviction policy, and written. */
async function lookAtTransport(settings: Settings): Promise<string | { readonly note: string }> {
  const transport = await openTransport(settings)
  try {
    if (settings.eventTransport === 'memory') return 'memory'
    return await withClock(transport, `${maskDatabaseUrl(settings.redisUrl ?? '')} is 7.0 or later, evicts nothing, takes writes`)
  } finally {
    await transport.close()
  }
}

/** Whether what is emitted gets home: who takes it, how far behind, and what had to be set aside. */
async function lookAtEvents(settings: Settings, cwd: string): Promise<string | { readonly note: string }> {
  const transport = await openTransport(settings)
  try {
    const consumers = (await transport.consumer(WATCHER).status()).filter(({ name }) => name !== WATCHER)
    const waiting = consumers.reduce((sum, { lag }) => sum + lag, 0)
    const spoolers = consumers.map(({ name }) => name).filter((name) => name !== '')
    const oldestS = Math.max(0, ...consumers.map(({ oldestPendingMs }) => oldestPendingMs ?? 0)) / 1000
    if (spoolers.length === 0 && waiting > 0) return { note: `${waiting} events wait and no spooler was heard of in the last 30 s: start one with koco spool` }
    if (oldestS > BEHIND_S)
      return { note: `${waiting} events wait, the oldest for ${oldestS.toFixed(0)} s: see the log of ${spoolers.join(', ')} for what the store answers` }
    const dead = await countDead(settings, cwd)
    if (dead > 0) return { note: `${dead} events were set aside because they could not be stored: see koco dead list` }
    return `${waiting} events wait, ${spoolers.length === 0 ? 'no spooler runs' : `${spoolers.join(', ')} at work`}`
  } finally {
    await transport.close()
  }
}

async function countDead(settings: Settings, cwd: string): Promise<number> {
  if (settings.executionDatabase === undefined) return 0
  const store = await openExecution(settings, cwd)
  try {
    return (await store.dead.list({ limit: 200 })).items.length
  } finally {
    await store.close()
  }
}

/** Epochs are times: a server or a host whose clock is off makes new tries look older than what is there. */
async function withClock(server: { serverTime?(): Promise<number> }, text: string): Promise<string | { readonly note: string }> {
  if (!server.serverTime) return text
  const before = Date.now()
  const theirs = await server.serverTime()
  const skewMs = theirs - (before + Date.now()) / 2
  if (Math.abs(skewMs) <= SKEW_MAX_MS) return `${text}, clock within ${Math.ceil(Math.abs(skewMs))} ms of ours`
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1)
  return { note: `${text}, but its clock is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} ours: set both by NTP` }
}

async function lookAtTemporal(settings: Settings): Promise<string | { readonly note: string }> {
  const { checkTemporal } = await import('@koco/temporal')
  const { server, searchable } = await checkTemporal(temporalPlace(settings))
  const where = `${settings.temporalHost}, namespace ${settings.temporalNamespace}, server ${server}`
  if (searchable) return where
  return {
    note: `${where}: runs cannot be searched for by flow, user and status there; let its operator add the search attributes KodoFlow, KodoUser and KodoStatus (Keyword)`,
  }
}

async function lookAtAddress(settings: Settings): Promise<string> {
  const { host, port } = panelListen(settings)
  const answers = await fetch(new URL('/healthz', settings.appServer), { signal: AbortSignal.timeout(3000) }).catch(() => undefined)
  if (answers?.ok) return `a koco answers at ${settings.appServer}`
  await new Promise<void>((done, fail) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      fail(new Error(`${host}:${port} cannot be listened on (${error.code ?? error.message}): choose another --address`)),
    )
    server.listen(port, host, () => server.close(() => done()))
  })
  return `${settings.appServer} is free`
}
