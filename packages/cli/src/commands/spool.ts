import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { RefusedError, type UnavailableError } from '@koco/core'
import { Command } from 'commander'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { startSpooler } from '../compose/spooler.ts'
import { createLog } from '../compose/log.ts'
import { backlogMetrics, measuredTransport, processRegistry } from '../compose/metrics.ts'
import { allWell, laterReady, serveProcess } from '../compose/process-server.ts'
import { claimSlot, listSlots, slotFolder, type HeldSlot, type SpoolerReport, type SpoolerSlot } from '../compose/spooler-slots.ts'
import { openStoreAndTransport, openTransport } from '../compose/transport.ts'
import { watchProcess } from '../compose/watch-process.ts'
import { whenThere } from '../compose/when-there.ts'
import { EXIT, usageError } from '../output/exit.ts'
import type { Io } from '../output/io.ts'
import { printItem, printItems, type Column, type OutputForm } from '../output/table.ts'
import { needsSharedTransport } from '../settings/combinations.ts'
import type { Settings } from '../settings/schema.ts'
import { openTraces } from '../traces/open-traces.ts'
import { PACKAGE_ROOT, VERSION } from '../version.ts'
import { outputForm, outputOption, type CommandContext } from './context.ts'

const BIN = fileURLToPath(new URL('bin/koco.mjs', PACKAGE_ROOT))
/** SIGTERM to the end of the process. */
const STOP_MS = 25_000
const START_MS = 15_000

type SpoolOptions = { readonly block?: boolean; readonly status?: boolean; readonly stop?: boolean; readonly output: string }

/** `koco spool`: in the background, `--block` in the foreground; `--status`, `--stop`. */
export function spoolCommand(context: CommandContext): Command {
  const command = new Command('spool')
    .description('Start a spooler in the background: it moves events from Redis into the store')
    .option('--block', 'stay in the foreground until SIGTERM or Ctrl-C')
    .option('--status', 'show each spooler: lag, rate, streams')
    .option('--stop', 'stop the spoolers of this data folder (or the one of --spooler-name)')
    .addOption(outputOption())
  return context.withSettings(command).action(async (options: SpoolOptions) => {
    if ([options.block, options.status, options.stop].filter(Boolean).length > 1) throw usageError('Take one of --block, --status and --stop.')
    const settings = context.settings(command)
    const fault = needsSharedTransport(settings, 'spool')
    if (fault !== undefined) throw new RefusedError(fault, { code: 'bad_settings' })
    if (options.block) await spoolHere(context, settings)
    else if (options.status) await showStatus(context, settings, options)
    else if (options.stop) await stopSpoolers(context, settings, outputForm(options))
    else await spoolBehind(context, settings, outputForm(options))
  })
}

async function spoolHere({ io }: CommandContext, settings: Settings): Promise<void> {
  const log = createLog(settings, process.stderr.isTTY)
  const slot = claimSlot(slotFolder(settings, io.cwd), settings.spoolerName)
  const unwatch = watchProcess(log)
  if (slot.leftBy !== null)
    log.warn({ process: slot.leftBy }, `spooler ${slot.name} did not end in order last time: what it had read and not acknowledged is delivered again`)
  const registry = processRegistry()
  const facts = laterReady()
  try {
    const server = await serveProcess(settings.metrics, { registry, ready: facts.ready, log })
    try {
      await spoolAs(slot, io, settings, { log, registry, facts })
    } finally {
      server.close()
    }
  } finally {
    unwatch()
    slot.leave()
  }
}

type Told = { readonly log: Logger; readonly registry: Registry; readonly facts: ReturnType<typeof laterReady> }

async function spoolAs(slot: HeldSlot, io: Io, settings: Settings, { log, registry, facts }: Told): Promise<void> {
  const onWait = (error: UnavailableError): void => {
    facts.isAway(error)
    slot.report(() => waitingFor(error))
  }
  const opened = await whenThere(() => openStoreAndTransport(settings, io.cwd), { log, stop: io.stop, onWait })
  if (!opened) return
  const { store } = opened
  const transport = measuredTransport(opened.transport, registry, log.child({ part: 'streams' }))
  const traces = await openTraces('koco-spooler', VERSION)
  const spooler = startSpooler({ settings, store, transport, log, registry, traces, name: slot.name })
  backlogMetrics(registry, transport.consumer('status'))
  facts.set(() => allWell(store, transport))
  slot.report(() => spooler.status())
  log.info(`spooler ${slot.name} runs`)
  await new Promise<void>((done) => (io.stop.aborted ? done() : io.stop.addEventListener('abort', () => done(), { once: true })))
  log.info('spooler stops: the batch in flight is committed first')
  // Whatever hangs, the process is gone in time.
  setTimeout(() => process.exit(EXIT.failed), STOP_MS).unref()
  await spooler.stop(STOP_MS - 5000)
  await traces.close()
  await transport.close()
  await store.close()
}

function waitingFor(error: UnavailableError): SpoolerReport {
  return { state: 'waiting', streams: 0, events: 0, delayedBy: error.message }
}

async function spoolBehind({ io }: CommandContext, settings: Settings, form: OutputForm): Promise<void> {
  const folder = slotFolder(settings, io.cwd)
  const before = new Set(listSlots(folder).map((slot) => slot.pid))
  const log = openSync(join(folder, 'spool.log'), 'a')
  const args = process.argv.slice(process.argv.indexOf('spool'))
  const child = spawn(process.execPath, [BIN, ...args, '--block'], { cwd: io.cwd, detached: true, stdio: ['ignore', log, log] })
  let ended: number | null | undefined
  child.once('exit', (code) => (ended = code))
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await sleep(100)) {
    const slot = listSlots(folder).find(({ pid, state }) => !before.has(pid) && pid === child.pid && state !== 'starting')
    if (slot) {
      const does = slot.state === 'waiting' ? 'waits for what it needs' : 'runs'
      if (form === 'table') io.out(`spooler ${slot.name} ${does} (process ${slot.pid}); its log is ${join(folder, 'spool.log')}`)
      else printItem(io, form, slot.name, { name: slot.name, state: slot.state, pid: slot.pid, log: join(folder, 'spool.log') })
      child.unref()
      return
    }
    if (ended !== undefined) break
  }
  throw new RefusedError(`The spooler did not start: see ${join(folder, 'spool.log')}, or start it with --block.`, { code: 'spooler_failed' })
}

type StatusRow = {
  readonly name: string
  readonly here: SpoolerSlot | undefined
  readonly streams: number | null
  readonly lag: number | null
  readonly oldest: number | null
}

const STATUS_COLUMNS: readonly Column<StatusRow>[] = [
  { title: 'SPOOLER', cell: (row) => row.name },
  { title: 'STATE', cell: (row) => row.here?.state ?? 'elsewhere' },
  { title: 'PROCESS', cell: (row) => row.here?.pid ?? null },
  { title: 'STREAMS', cell: (row) => row.streams },
  { title: 'LAG', cell: (row) => row.lag },
  { title: 'OLDEST S', cell: (row) => (row.oldest === null ? null : (row.oldest / 1000).toFixed(1)) },
  { title: 'EVENTS/S', cell: (row) => row.here?.rate.toFixed(0) ?? null },
  { title: 'EVENTS', cell: (row) => row.here?.events ?? null },
]

async function showStatus({ io }: CommandContext, settings: Settings, options: SpoolOptions): Promise<void> {
  const transport = await openTransport(settings)
  try {
    const consumers = await transport.consumer('status').status()
    const slots = listSlots(slotFolder(settings, io.cwd))
    const names = new Set([...consumers.map(({ name }) => name), ...slots.map(({ name }) => name)])
    const rows = [...names].toSorted().map((name): StatusRow => {
      const consumer = consumers.find((one) => one.name === name)
      const here = slots.find((slot) => slot.name === name)
      return { name, here, streams: consumer?.streams ?? here?.streams ?? null, lag: consumer?.lag ?? null, oldest: consumer?.oldestPendingMs ?? null }
    })
    printItems(io, outputForm(options), rows, { id: (row) => row.name, columns: STATUS_COLUMNS, empty: 'No spooler has run: start one with koco spool' })
  } finally {
    await transport.close()
  }
}

async function stopSpoolers({ io }: CommandContext, settings: Settings, form: OutputForm): Promise<void> {
  const folder = slotFolder(settings, io.cwd)
  const wanted = (slot: SpoolerSlot) => settings.spoolerName === undefined || slot.name === settings.spoolerName
  const slots = listSlots(folder).filter(wanted)
  for (const slot of slots) process.kill(slot.pid, 'SIGTERM')
  const deadline = Date.now() + STOP_MS + 2000
  while (listSlots(folder).some((slot) => slots.some(({ pid }) => pid === slot.pid))) {
    if (Date.now() > deadline) throw new RefusedError('Some spoolers did not stop in time: see koco spool --status.', { code: 'spooler_stays' })
    await sleep(100)
  }
  if (form !== 'table') return printItems(io, form, slots, { id: ({ name }) => name, columns: [], empty: '' })
  for (const slot of slots) io.out(`${slot.name} stopped`)
  if (slots.length === 0) io.err(`No spooler of ${folder} runs here.`)
}
