import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isJsonObject, KocoError, UnavailableError, type Json } from '@koco/core'
import type { RunDetail } from '@koco/core/api'
import { Command } from 'commander'
import { ApiClient } from '../panel-client/api-client.ts'
import { keyFile } from '../panel-client/key.ts'
import { sendFiles } from '../panel-client/send-files.ts'
import { openInstallation } from '../compose/installation.ts'
import { createLog } from '../compose/log.ts'
import { firstAdmin, localKey } from '../compose/sign-in.ts'
import { hostFlows } from '../flows/host.ts'
import { findFlows } from '../flows/find.ts'
import { loadFlows } from '../flows/load.ts'
import { usageError } from '../output/exit.ts'
import type { OutputForm } from '../output/table.ts'
import { isEmbedded } from '../settings/addresses.ts'
import type { Settings } from '../settings/schema.ts'
import { VERSION } from '../version.ts'
import { ALL_SETTINGS, outputForm, outputOption, type CommandContext } from './context.ts'
import { followRun } from './follow.ts'
import { parseInputs } from './inputs.ts'
import { runPath } from './runs.ts'

const GRACE_MS = 10_000

/** A run that was followed did not finish. */
class RunEndedBadlyError extends KocoError {
  readonly reaction = 'report'
}

type RunOptions = { readonly input?: string[]; readonly inputs?: string; readonly follow?: boolean; readonly output: string }

/** `koco run <flow>`: over HTTP; with nobody there and an embedded configuration, through a panel of its own for the time of the run. */
export function runCommand(context: CommandContext): Command {
  const command = new Command('run')
    .description('Start a run of a flow')
    .argument('<flow>')
    .option('-i, --input <name=value...>', 'an input; name:=JSON for any JSON, name=@path for a file')
    .option('--inputs <file>', 'all inputs as a JSON file; - for standard input')
    .option('-f, --follow', 'print its events until it ends; exit code 1 unless it finished')
    .addOption(outputOption())
  return context.withSettings(command, ALL_SETTINGS).action(async (flow: string, options: RunOptions) => {
    const settings = context.settings(command)
    const client = context.client(command)
    try {
      await client.call('GET', '/healthz')
    } catch (error) {
      if (!(error instanceof UnavailableError) || error.code !== 'no_panel' || client.profile !== null || !isEmbedded(settings)) throw error
      await runAlone(context, settings, flow, options)
      return
    }
    const fid = await startRun(context, client, flow, options)
    if (options.follow) await follow(context, client, fid, { form: outputForm(options), goesOn: `koco runs events ${fid} --follow` })
    else context.io.out(outputForm(options) === 'json' ? JSON.stringify({ fid }) : fid)
  })
}

async function startRun(context: CommandContext, client: ApiClient, flow: string, options: RunOptions): Promise<string> {
  const inputs = await readInputs(context, client, flow, options)
  // One key for the whole command: a repeated request starts nothing twice.
  const { fid } = await client.call<{ fid: string }>('POST', '/api/runs', { flow, inputs }, { 'idempotency-key': randomUUID() })
  return fid
}

async function readInputs(context: CommandContext, client: ApiClient, flow: string, options: RunOptions): Promise<Json> {
  const whole =
    options.inputs === undefined ? {} : parseWhole(options.inputs === '-' ? await context.io.readStdin() : readText(context, options.inputs), options.inputs)
  const { inputs: schema } = await client.call<{ inputs: Json }>('GET', `/api/flows/${encodeURIComponent(flow)}`)
  return sendFiles(client, context.io.cwd, schema, { ...whole, ...parseInputs(options.input ?? [], schema) })
}

function readText(context: CommandContext, file: string): string {
  try {
    return readFileSync(resolve(context.io.cwd, file), 'utf8')
  } catch (error) {
    throw usageError(`--inputs ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`)
  }
}

function parseWhole(text: string, from: string): { readonly [key: string]: Json } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw usageError(`--inputs ${from} is no JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (!isJsonObject(value)) throw usageError(`--inputs ${from} must hold a JSON object.`)
  return value
}

/** `goesOn`: what to type to see more of a run that is left while it is not over. */
type Following = { readonly form: OutputForm; readonly goesOn: string }

/** Prints the run until it ends, then says by the exit code how. */
async function follow(context: CommandContext, client: ApiClient, fid: string, { form, goesOn }: Following): Promise<void> {
  const { io } = context
  if (form === 'table') io.err(`run ${fid}`)
  await followRun(io, client, fid, { form, after: null, kinds: null })
  if (io.stop.aborted) {
    io.err(`Run ${fid} goes on: ${goesOn}`)
    return
  }
  const run = await client.call<RunDetail>('GET', runPath(fid))
  if (run.status === 'finished') return
  const why = run.status === 'error' ? `failed: ${run.error?.message ?? ''}` : `did not finish: ${run.status}`
  throw new RunEndedBadlyError(`Run ${fid} ${why}`, { code: `run_${run.status}`, details: { fid } })
}

/** Runs a flow in this process, with a panel on a free port of this machine: the same path as anywhere. */
async function runAlone(context: CommandContext, settings: Settings, flow: string, options: RunOptions): Promise<void> {
  const { io } = context
  const log = createLog({ ...settings, logLevel: settings.logLevel === 'info' ? 'warn' : settings.logLevel }, process.stderr.isTTY)
  const unhost = hostFlows(log)
  const { flows } = await loadFlows(findFlows(settings.flows, io.cwd))
  const installation = await openInstallation(
    { ...settings, appServer: 'http://127.0.0.1:0' },
    { cwd: io.cwd, log, version: VERSION, flows, whole: true, webDir: null },
  )
  try {
    const admin = await firstAdmin(settings, installation.admin)
    if (admin.password !== null) io.err(`Made the first operator: ${admin.name}, password ${admin.password} (shown this one time)`)
    const key = await localKey(installation.admin, installation.hashSecret, keyFile(settings, io.cwd))
    const { url } = await installation.panel.listen({ host: '127.0.0.1', port: 0 })
    const client = new ApiClient(url, key)
    const fid = await startRun(context, client, flow, options)
    await follow(context, client, fid, { form: outputForm(options), goesOn: 'with the next koco start here, where it was' })
  } finally {
    await installation.close(GRACE_MS)
    unhost()
  }
}
