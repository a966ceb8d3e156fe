import { RefusedError } from '@koco/core'
import { createCatalog } from '@koco/flow'
import type { TemporalWorker } from '@koco/temporal/worker'
import { Command } from 'commander'
import { openWorkerContents } from '../compose/contents.ts'
import { createLog } from '../compose/log.ts'
import { measuredTransport, processRegistry, workerMetrics } from '../compose/metrics.ts'
import { allWell, laterReady, serveProcess } from '../compose/process-server.ts'
import { openExecution } from '../compose/stores.ts'
import { startWorker, type WorkerOptions } from '../compose/temporal.ts'
import { openStoreAndTransport } from '../compose/transport.ts'
import { watchProcess } from '../compose/watch-process.ts'
import { whenThere } from '../compose/when-there.ts'
import { hostFlows } from '../flows/host.ts'
import { chatting, withChat } from '../flows/chat.ts'
import { findFlows } from '../flows/find.ts'
import { loadFlows } from '../flows/load.ts'
import { reloadLog, watchFlows } from '../flows/watch.ts'
import { EXIT, usageError } from '../output/exit.ts'
import { printItems, type Column } from '../output/table.ts'
import { needsSharedTransport } from '../settings/combinations.ts'
import type { Settings } from '../settings/schema.ts'
import { outputForm, outputOption, wholeNumber, type CommandContext } from './context.ts'

type Options = { readonly slots?: string; readonly grace?: string; readonly status?: boolean; readonly output: string }

const GRACE_S = 20
/** After the grace time, for what hangs. */
const FORCE_MS = 10_000

/** `koco temporal-worker`: makes the tries of its flows in the foreground, until SIGTERM or Ctrl-C; `--status`. */
export function temporalWorkerCommand(context: CommandContext): Command {
  const command = new Command('temporal-worker')
    .description('Run a worker: it makes the runs of its flows for Temporal')
    .option('--slots <count>', 'tries at the same time (200)')
    .option('--grace <seconds>', `how long tries may go on after SIGTERM before they are handed to another worker (${GRACE_S})`)
    .option('--status', 'show the workers: where they run, which flows they serve')
    .addOption(outputOption())
  return context.withSettings(command).action(async (options: Options) => {
    const settings = context.settings(command)
    const fault = needsSharedTransport(settings, 'temporal-worker')
    if (fault !== undefined) throw new RefusedError(fault, { code: 'bad_settings' })
    if (options.status) await showStatus(context, settings, options)
    else await workHere(context, settings, workerOptions(options))
  })
}

function workerOptions({ slots, grace }: Options): Required<Pick<WorkerOptions, 'graceMs'>> & WorkerOptions {
  const graceS = grace === undefined ? GRACE_S : Number(grace)
  if (!(graceS >= 0 && graceS <= 3600)) throw usageError(`--grace takes seconds from 0 to 3600, not "${grace}".`)
  return {
    graceMs: graceS * 1000,
    ...(slots !== undefined && { slots: wholeNumber(slots, '--slots') }),
  }
}

async function workHere({ io }: CommandContext, settings: Settings, options: ReturnType<typeof workerOptions>): Promise<void> {
  const log = createLog(settings, process.stderr.isTTY)
  hostFlows(log)
  watchProcess(log)
  const file = findFlows(settings.flows, io.cwd)
  const loaded = await loadFlows(file)
  const catalog = createCatalog(withChat(loaded.flows, io.env))
  const registry = processRegistry()
  const facts = laterReady()
  let worker: TemporalWorker | undefined
  const server = await serveProcess(settings.metrics, { registry, ready: facts.ready, more: async () => (await worker?.sdkFigures()) ?? '', log })
  const waiting = { log, stop: io.stop, onWait: facts.isAway }
  const opened: (() => Promise<void>)[] = [async () => server.close()]
  try {
    const bases = await whenThere(() => openStoreAndTransport(settings, io.cwd, { takesEvents: false }), waiting)
    if (!bases) return
    const { store } = bases
    const transport = measuredTransport(bases.transport, registry, log.child({ part: 'streams' }))
    opened.push(
      () => store.close(),
      () => transport.close(),
    )
    const { contents, fileContents } = await openWorkerContents(settings, io.cwd, opened)
    const parts = { catalog, store, transport, contents, fileContents, log }
    worker = await whenThere(() => startWorker(settings, io.cwd, parts, { ...options, withFigures: settings.metrics !== undefined }), waiting)
    if (!worker) return
    workerMetrics(registry, worker)
    facts.set(() => allWell(store, transport))
    const unwatch = watchFlows(file, loaded.files, chatting(catalog, io.env), reloadLog(log))
    log.info(`worker ${worker.id} serves ${loaded.flows.map((flow) => flow.name).join(', ')}`)
    try {
      await Promise.race([worker.ended, stopped(io.stop)])
      log.info('worker stops: tries come to a step border first')
    } finally {
      unwatch()
      server.close()
      // Whatever hangs, the process is gone in time.
      setTimeout(() => process.exit(EXIT.failed), options.graceMs + FORCE_MS).unref()
      await worker.close()
    }
  } finally {
    for (const close of opened.toReversed()) await close()
  }
}

type WorkerRow = { readonly id: string; readonly host: string; readonly pid: number; readonly seenS: number; readonly flows: readonly string[] }

const COLUMNS: readonly Column<WorkerRow>[] = [
  { title: 'WORKER', cell: (row) => row.id },
  { title: 'HOST', cell: (row) => row.host },
  { title: 'PROCESS', cell: (row) => row.pid },
  { title: 'SEEN S AGO', cell: (row) => row.seenS.toFixed(0) },
  { title: 'FLOWS', cell: (row) => row.flows.join(', ') },
]

async function showStatus({ io }: CommandContext, settings: Settings, options: Options): Promise<void> {
  const store = await openExecution(settings, io.cwd)
  try {
    const rows = new Map<string, WorkerRow>()
    for (const flow of await store.flows.list()) {
      for (const { id, launcher, host, pid, seenAt, version } of flow.workers) {
        if (launcher !== 'temporal') continue
        const named = version === null ? flow.name : `${flow.name}@${version}`
        const flows = [...(rows.get(id)?.flows ?? []), named]
        rows.set(id, { id, host, pid, seenS: Math.max(0, Date.now() / 1000 - seenAt), flows })
      }
    }
    printItems(io, outputForm(options), [...rows.values()], {
      id: (row) => row.id,
      columns: COLUMNS,
      empty: 'No worker has registered: start one with koco temporal-worker',
    })
  } finally {
    await store.close()
  }
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done()
    else signal.addEventListener('abort', () => done(), { once: true })
  })
}
