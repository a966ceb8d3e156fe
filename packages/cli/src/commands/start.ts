import { relative, resolve } from 'node:path'
import { RefusedError } from '@koco/core'
import { captureConsole } from '@koco/flow'
import { Command } from 'commander'
import { keyFile } from '../client/key.ts'
import { openInstallation } from '../compose/installation.ts'
import { createLog } from '../compose/log.ts'
import { firstAdmin, localKey } from '../compose/sign-in.ts'
import { webPageIfBuilt } from '../compose/web-page.ts'
import { findFlows } from '../flows/find.ts'
import { loadFlows, type LoadedFlows } from '../flows/load.ts'
import { watchFlows } from '../flows/watch.ts'
import type { Io } from '../output/io.ts'
import { bold, dim } from '../output/table.ts'
import { dataFolder, isPostgres, parseAddress } from '../settings/addresses.ts'
import { needsSharedTransport } from '../settings/combinations.ts'
import type { Settings } from '../settings/schema.ts'
import { VERSION } from '../version.ts'
import type { CommandContext } from './context.ts'

/** How long requests, tries and batches get to come to a good end. */
const GRACE_MS = 20_000

/** `koco start`: panel, spooler and direct launcher in one process. */
export function startCommand(context: CommandContext): Command {
  const command = new Command('start').description('Start the panel, the launcher of flows and a spooler in one process')
  return context.withSettings(command).action(() => serve(context.io, context.settings(command), { spool: true }))
}

/** `koco serve`: the panel and the launcher, for installations whose spoolers are processes of their own. */
export function serveCommand(context: CommandContext): Command {
  const command = new Command('serve').description('Start the panel and the launcher alone; spoolers run elsewhere (`koco spool`)')
  return context.withSettings(command).action(() => {
    const settings = context.settings(command)
    const fault = needsSharedTransport(settings, 'serve')
    if (fault !== undefined) throw new RefusedError(fault, { code: 'bad_settings' })
    return serve(context.io, settings, { spool: false })
  })
}

async function serve(io: Io, settings: Settings, { spool }: { readonly spool: boolean }): Promise<void> {
  const log = createLog(settings, process.stderr.isTTY)
  captureConsole()
  const file = findFlows(settings.flows, io.cwd)
  const [loaded, webDir] = await Promise.all([loadFlows(file), webPageIfBuilt(io.err)])
  const installation = await openInstallation(settings, { cwd: io.cwd, log, version: VERSION, flows: loaded.flows, spool, webDir })
  try {
    const admin = await firstAdmin(settings, installation.admin)
    if (!isPostgres(settings.adminDatabase)) await localKey(installation.admin, keyFile(settings, io.cwd))
    const { url: address } = await installation.panel.listen(parseAddress(settings.appServer))
    const unwatch = watchFlows(file, loaded.files, installation.catalog, (outcome) => {
      if ('error' in outcome) log.error(`The flows stay as they were: ${outcome.error}`)
      else log.info(`Flows reloaded: ${outcome.flows.join(', ')}`)
    })
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
  readonly file: string
  readonly loaded: LoadedFlows
}

function banner(io: Io, settings: Settings, { address, admin, file, loaded }: Facts): void {
  const line = (name: string, value: string) => io.out(`  ${dim(io, name.padEnd(9))} ${value}`)
  const shown = relative(io.cwd, file)
  io.out(`${bold(io, `koco ${VERSION}`)} is ready`)
  line('page', bold(io, address))
  if (settings.auth === 'off') line('sign in', 'not needed: KODO_AUTH=off')
  else if (admin.password === null) line('sign in', `${admin.name}, with your password`)
  else line('sign in', `${admin.name}, password ${bold(io, admin.password)} (made now, shown this one time)`)
  line('flows', `${loaded.flows.map((flow) => flow.name).join(', ')} (${shown.startsWith('..') ? file : shown}, read again when it changes)`)
  line('data', `${dataFolder(settings, io.cwd)}${settings.executionDatabase === undefined ? `, runs in ${resolve(io.cwd, settings.execDir)}` : ''}`)
  io.out(dim(io, '  Ctrl-C ends it; runs that are not over go on at the next start.'))
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done()
    else signal.addEventListener('abort', () => done(), { once: true })
  })
}
