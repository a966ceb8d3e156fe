import { relative, resolve } from 'node:path'
import { RefusedError } from '@koco/core'
import { Command } from 'commander'
import { keyFile } from '../panel-client/key.ts'
import { openInstallation } from '../compose/installation.ts'
import { createLog } from '../compose/log.ts'
import { firstAdmin, localKey } from '../compose/sign-in.ts'
import { temporalForDevelopment } from '../compose/temporal-dev-server.ts'
import { watchProcess } from '../compose/watch-process.ts'
import { webPageIfBuilt } from '../compose/web-page.ts'
import { whenThere } from '../compose/when-there.ts'
import { hostFlows } from '../flows/host.ts'
import { chatting, withChat } from '../flows/chat.ts'
import { findFlows } from '../flows/find.ts'
import { loadFlows, type LoadedFlows } from '../flows/load.ts'
import { reloadLog, watchFlows } from '../flows/watch.ts'
import type { Io } from '../output/io.ts'
import { bold, dim } from '../output/table.ts'
import { dataFolder, isPostgres, panelListen } from '../settings/addresses.ts'
import { checkCombinations, needsSharedTransport } from '../settings/combinations.ts'
import type { Settings } from '../settings/schema.ts'
import { VERSION } from '../version.ts'
import type { CommandContext } from './context.ts'

/** How long requests, tries and batches get to come to a good end. */
const GRACE_MS = 20_000
const NO_FLOWS: LoadedFlows = { flows: [], files: [] }

/** `koco start`: panel, spooler and launcher in one process, in temporal mode with a worker. */
export function startCommand(context: CommandContext): Command {
  const command = new Command('start')
    .description('Start the panel, the launcher of flows and a spooler in one process')
    .option('--temporal', 'run the flows on Temporal (as KODO_EXECUTION_MODE=temporal); when none answers, start a development server too')
  return context.withSettings(command).action((options: { readonly temporal?: boolean }) => {
    const settings = context.settings(command)
    return options.temporal ? startOnTemporal(context.io, settings) : serve(context.io, settings, { whole: true })
  })
}

async function startOnTemporal(io: Io, given: Settings): Promise<void> {
  const settings: Settings = { ...given, executionMode: 'temporal' }
  const faults = checkCombinations(settings)
  if (faults.length > 0) throw new RefusedError(faults.join('\n'), { code: 'bad_settings', details: faults })
  const server = await temporalForDevelopment(settings, io)
  if (server) io.out(`Started a development server of Temporal; its page is ${server.page}`)
  try {
    await serve(io, settings, { whole: true })
  } finally {
    await server?.stop()
  }
}

/** `koco serve`: the panel and the launcher, for installations whose spoolers are processes of their own. */
export function serveCommand(context: CommandContext): Command {
  const command = new Command('serve').description('Start the panel and the launcher alone; spoolers run elsewhere (`koco spool`)')
  return context.withSettings(command).action(() => {
    const settings = context.settings(command)
    const fault = needsSharedTransport(settings, 'serve')
    if (fault !== undefined) throw new RefusedError(fault, { code: 'bad_settings' })
    return serve(context.io, settings, { whole: false })
  })
}

async function serve(io: Io, settings: Settings, { whole }: { readonly whole: boolean }): Promise<void> {
  const log = createLog(settings, process.stderr.isTTY)
  hostFlows(log)
  watchProcess(log)
  // A panel beside workers of Temporal needs no flow's code: it shows what they serve.
  const file = settings.executionMode === 'direct' || whole ? findFlows(settings.flows, io.cwd) : null
  const [loaded, webDir] = await Promise.all([file === null ? NO_FLOWS : loadFlows(file), webPageIfBuilt(io.err)])
  const options = { cwd: io.cwd, log, version: VERSION, flows: withChat(loaded.flows, io.env), whole, webDir }
  const installation = await whenThere(() => openInstallation(settings, options), { log, stop: io.stop })
  if (!installation) return
  try {
    const admin = await firstAdmin(settings, installation.admin)
    if (!isPostgres(settings.adminDatabase)) await localKey(installation.admin, installation.hashSecret, keyFile(settings, io.cwd))
    const { url } = await installation.panel.listen(panelListen(settings))
    const address = settings.listen === undefined ? url : settings.appServer
    const unwatch = file === null ? () => undefined : watchFlows(file, loaded.files, chatting(installation.catalog, io.env), reloadLog(log))
    banner(io, settings, { address, admin, file, loaded })
    await stopped(io.stop)
    unwatch()
    io.err('Stopping: what is under way comes to a step border. Once more to end at once.')
  } finally {
    await installation.close(GRACE_MS)
  }
}

type Facts = {
  readonly address: string
  readonly admin: { readonly name: string; readonly password: string | null }
  readonly file: string | null
  readonly loaded: LoadedFlows
}

function banner(io: Io, settings: Settings, { address, admin, file, loaded }: Facts): void {
  const line = (name: string, value: string) => io.out(`  ${dim(io, name.padEnd(9))} ${value}`)
  io.out(`${bold(io, `koco ${VERSION}`)} is ready`)
  line('page', bold(io, address))
  if (settings.auth === 'off') line('sign in', 'not needed: KODO_AUTH=off')
  else if (admin.password === null) line('sign in', `${admin.name}, with your password`)
  else line('sign in', `${admin.name}, password ${bold(io, admin.password)} (made now, shown this one time)`)
  if (file === null) line('flows', 'those of the workers (koco temporal-worker)')
  else line('flows', `${loaded.flows.map((flow) => flow.name).join(', ')} (${shownPath(io, file)}, read again when it changes)`)
  if (settings.executionMode === 'temporal') line('temporal', `${settings.temporalHost}, namespace ${settings.temporalNamespace}`)
  line('data', `${dataFolder(settings, io.cwd)}${settings.executionDatabase === undefined ? `, runs in ${resolve(io.cwd, settings.execDir)}` : ''}`)
  io.out(dim(io, '  Ctrl-C ends it; runs that are not over go on at the next start.'))
}

function shownPath(io: Io, file: string): string {
  const shown = relative(io.cwd, file)
  return shown.startsWith('..') ? file : shown
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done()
    else signal.addEventListener('abort', () => done(), { once: true })
  })
}
