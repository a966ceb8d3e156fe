import { randomBytes, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { isEnded, newFid, ORIGIN, RefusedError, UnavailableError, type Json } from '@koco/core'
import type { ControlRequest } from '@koco/storage'
import { answerLock } from '../answer-lock.ts'
import type { Catalog } from '../catalog.ts'
import { systemClock } from '../clock.ts'
import { defaultLimits } from '../executor/try.ts'
import { flowEntry, type Flow } from '../flow.ts'
import type { AnswerOutcome, ControlOutcome, Launcher, RunProcess, StartRun } from '../launcher.ts'
import { invalidInputs, newRun, orUnavailable, unknownFlow } from '../new-run.ts'
import { checkInputs } from '../schema-check.ts'
import type { DirectLauncherOptions, DirectSettings } from './options.ts'
import { Recovery } from './recovery.ts'
import { Supervisor } from './supervisor.ts'

const HEARTBEAT_MS = 30_000
/** How long a retry may take to be on record. */
const BEGIN_MS = 15_000

/**
 * A launcher that executes runs in this process. Takes the store's `direct-launcher` place and continues the unfinished direct runs. RefusedError `launcher_taken` when another
 * process has it.
 */
export async function createDirectLauncher(options: DirectLauncherOptions): Promise<Launcher> {
  const settings = withDefaults(options)
  const giveBack = await settings.store.exclusive('direct-launcher')
  if (!giveBack) {
    throw new RefusedError('Another process executes the direct runs of this store. Stop it first, or start this one with `koco serve`.', {
      code: 'launcher_taken',
    })
  }
  const launcher = new DirectLauncher(settings, giveBack)
  await launcher.open()
  return launcher
}

function withDefaults(options: DirectLauncherOptions): DirectSettings {
  return {
    clock: systemClock,
    randomBytes,
    owner: `${hostname()}/${process.pid}`,
    concurrency: 256,
    queueMax: 10_000,
    backOffMs: { first: 500, most: 30_000 },
    sweepMs: 30_000,
    log: () => undefined,
    ...options,
    limits: { ...defaultLimits, ...options.limits },
  }
}

class DirectLauncher implements Launcher {
  readonly name = 'direct'
  readonly #settings: DirectSettings
  readonly #supervisor: Supervisor
  readonly #recovery: Recovery
  readonly #giveBack: () => Promise<void>
  readonly #workerId = randomUUID()
  #beat: NodeJS.Timeout | undefined
  #offCatalog: () => void = () => undefined
  #beating: Promise<void> = Promise.resolve()
  #closed: Promise<void> | undefined

  constructor(settings: DirectSettings, giveBack: () => Promise<void>) {
    this.#settings = settings
    this.#giveBack = giveBack
    this.#supervisor = new Supervisor(settings, this)
    this.#recovery = new Recovery(settings, this.#supervisor)
  }

  async open(): Promise<void> {
    await this.#supervisor.committed.open(this.#settings.transport.signals)
    this.#recovery.start()
    this.#offCatalog = this.#settings.catalog.onChange(() => this.#heartbeat())
    this.#beat = setInterval(() => this.#heartbeat(), HEARTBEAT_MS)
    this.#heartbeat()
  }

  async start(start: StartRun): Promise<{ readonly fid: string; readonly created: boolean }> {
    const flow = await this.#checkStart(start)
    const { clock, store, transport, randomBytes } = this.#settings
    const fid = start.fid ?? newFid(clock.now(), randomBytes(8))
    const entry = this.#supervisor.add(fid, flow.name, 'start')
    if (!entry) throw new UnavailableError(`The new run id ${fid} is taken. Try again.`, { code: 'fid_taken' })
    const run = newRun(fid, flow, start, clock.now())
    try {
      // With a key the run may exist already; else row and stream are made side by side. A stream that failed is made by the try.
      const [{ fid: first, created }] = await Promise.all([
        store.runs.create({ ...run, launcher: 'direct', idempotencyKey: start.idempotencyKey }),
        start.idempotencyKey === null ? transport.streams.create(fid, ORIGIN).catch(orUnavailable) : undefined,
      ])
      if (!created) {
        this.#supervisor.drop(entry)
        return { fid: first, created }
      }
      if (start.idempotencyKey !== null) await transport.streams.create(fid, ORIGIN).catch(orUnavailable)
    } catch (error) {
      // Whether the row was made is not known: if so, the next sweep finds it.
      this.#supervisor.drop(entry)
      throw error
    }
    entry.fresh = { fid, user: run.user, inputs: run.inputs, parent: run.parent }
    this.#supervisor.schedule(entry, 'start')
    return { fid, created: true }
  }

  pause(fid: string, by: string, reason?: string): Promise<ControlOutcome> {
    return this.#request(fid, { wanted: 'pause', by, reason: reason ?? null })
  }

  resume(fid: string, by: string): Promise<ControlOutcome> {
    return this.#request(fid, { wanted: 'run', by, reason: null })
  }

  cancel(fid: string, by: string, reason?: string): Promise<ControlOutcome> {
    return this.#request(fid, { wanted: 'cancel', by, reason: reason ?? null })
  }

  async mustServe(flow: string): Promise<void> {
    const { catalog } = this.#settings
    if (!catalog.get(flow)) throw unknownFlow(flow, namesOf(catalog))
  }

  async retry(fid: string, by: string): Promise<{ readonly outcome: 'accepted' } | { readonly outcome: 'live' | 'unknown' }> {
    this.#refuseWhenClosing()
    const { store, clock } = this.#settings
    const run = await store.runs.get(fid)
    if (!run || run.launcher !== this.name) return { outcome: 'unknown' }
    if (!isEnded(run.status)) return { outcome: 'live' }
    await this.mustServe(run.flow)
    // The store may know of the end a moment before the try that wrote it has returned.
    const ending = this.#supervisor.get(fid)
    if (ending) await inTime(ending.gone.promise)
    const entry = this.#supervisor.add(fid, run.flow, 'retry')
    if (!entry) return { outcome: 'live' }
    try {
      await store.runs.request(fid, { wanted: 'run', by, reason: null, at: clock.now() / 1000 })
    } catch (error) {
      this.#supervisor.drop(entry)
      throw error
    }
    // Accepted means on record: the run counts as unfinished from its first event on.
    const begun = Promise.withResolvers<void>()
    entry.onBegun = begun
    this.#supervisor.schedule(entry, 'retry')
    await inTime(begun.promise)
    return { outcome: 'accepted' }
  }

  async answer(fid: string, lid: string, answer: Json, by: string, reason?: string): Promise<AnswerOutcome> {
    const { store, clock } = this.#settings
    const outcome = await answerLock(store, clock, { fid, lid, answer, by, reason })
    if (outcome.outcome === 'accepted') await this.#tell(fid, true)
    return outcome
  }

  async describe(fid: string): Promise<RunProcess> {
    const executing = this.#supervisor.get(fid)?.state === 'executing'
    return { executing, where: executing ? this.#settings.owner : null }
  }

  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#close(graceMs)
    return this.#closed
  }

  async #close(graceMs: number): Promise<void> {
    clearInterval(this.#beat)
    this.#offCatalog()
    await Promise.all([this.#supervisor.close(graceMs), this.#recovery.close()])
    // A heartbeat under way would put this process on the list again behind its leaving.
    await this.#beating
    const { store, log } = this.#settings
    await store.flows.leave(this.#workerId).catch((error: unknown) => log('warn', 'this process could not be taken off the list of workers', error))
    await this.#giveBack()
  }

  async #checkStart(start: StartRun): Promise<Flow> {
    this.#refuseWhenClosing()
    const { catalog, queueMax } = this.#settings
    if (this.#supervisor.queued >= queueMax) {
      throw new UnavailableError(`${queueMax} runs wait for a free place already. Try again later.`, { code: 'launcher_full' })
    }
    const flow = catalog.get(start.flow)
    if (!flow) throw unknownFlow(start.flow, namesOf(catalog))
    const checked = await checkInputs(flow, start.inputs)
    if (!checked.ok) throw invalidInputs(flow.name, checked.fields)
    return flow
  }

  #refuseWhenClosing(): void {
    if (this.#supervisor.stopping) throw new UnavailableError('The server is stopping. Try again in a moment.', { code: 'stopping' })
  }

  async #request(fid: string, wish: Pick<ControlRequest, 'wanted' | 'by' | 'reason'>): Promise<ControlOutcome> {
    const { store, clock } = this.#settings
    const run = await store.runs.get(fid)
    if (!run || run.launcher !== this.name) return { outcome: 'unknown' }
    if (isEnded(run.status)) return { outcome: 'ended', status: run.status }
    const request: ControlRequest = { ...wish, at: clock.now() / 1000 }
    await store.runs.request(fid, request)
    const entry = this.#supervisor.get(fid)
    if (entry && entry.control?.wanted !== 'cancel') entry.control = request
    await this.#tell(fid, false)
    return { outcome: 'accepted' }
  }

  async #tell(fid: string, answered: boolean): Promise<void> {
    const entry = this.#supervisor.get(fid) ?? (await this.#recovery.adopt(fid))
    entry?.notify()
    if (entry) this.#supervisor.consider(entry, answered)
  }

  #heartbeat(): void {
    const { store, clock, catalog, log } = this.#settings
    const worker = { id: this.#workerId, launcher: this.name, host: hostname(), pid: process.pid, seenAt: clock.now() / 1000 }
    const failed = (error: unknown): void => log('warn', 'the list of served flows could not be stored', error)
    this.#beating = this.#beating.then(() => store.flows.heartbeat(worker, catalog.list().map(flowEntry))).catch(failed)
  }
}

function namesOf(catalog: Catalog): string[] {
  return catalog.list().map((flow) => flow.name)
}

/** The promise, or UnavailableError when it takes so long that nobody should wait. */
function inTime(begun: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<void>()
  const late = new UnavailableError('The retry is not on record yet: stream or store are away. Look at the run in a moment, and ask again if need be.', {
    code: 'not_begun',
  })
  const timer = setTimeout(() => reject(late), BEGIN_MS)
  return Promise.race([begun, promise]).finally(() => clearTimeout(timer))
}
