import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UnavailableError } from '@koco/core'
import { dataFolder } from '../settings/addresses.ts'
import type { Settings } from '../settings/schema.ts'
import { temporalPlace } from './temporal.ts'

const START_MS = 60_000
const LOOK_MS = 200
const STOP_MS = 5000
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/

/** A development server that was started here, or undefined when one answered already. */
export type DevServer = { readonly page: string; stop(): Promise<void> } | undefined

/** Makes sure that Temporal answers where the settings say: starts a development server there when none does, its data in the data folder. UnavailableError with what to do when it cannot. */
export async function temporalForDevelopment(
  settings: Settings,
  io: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<DevServer> {
  if (await answers(settings)) return undefined
  const [host = '', port = ''] = splitAddress(settings.temporalHost)
  if (!LOOPBACK.test(host)) throw away(settings, `It is not on this machine, so none is started.`)
  const program = findTemporal(io.env)
  if (program === undefined) {
    throw away(
      settings,
      'To have one started here, install the temporal CLI (https://docs.temporal.io/cli, or `go install github.com/temporalio/cli/cmd/temporal@v1.5.1`).',
    )
  }
  const folder = dataFolder(settings, io.cwd)
  mkdirSync(folder, { recursive: true })
  const uiPort = Number(port) + 1000
  const place = ['--ip', host === 'localhost' ? '127.0.0.1' : host, '--port', port, '--ui-port', String(uiPort), '--namespace', settings.temporalNamespace]
  const pragmas = ['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL']
  const args = ['server', 'start-dev', ...place, '--db-filename', join(folder, 'temporal.db'), ...pragmas, '--log-level', 'error']
  // Ctrl-C is meant for koco: the server must outlive what still talks to it.
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], detached: true })
  child.once('error', () => undefined)
  try {
    await untilAnswers(settings, child)
  } catch (error) {
    await stop(child)
    throw error
  }
  return { page: `http://localhost:${uiPort}`, stop: () => stop(child) }
}

async function untilAnswers(settings: Settings, child: ChildProcess): Promise<void> {
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await sleep(LOOK_MS)) {
    if (child.exitCode !== null || child.pid === undefined)
      throw away(settings, 'The development server that was started there ended at once; its words are above.')
    if (await answers(settings)) return
  }
  throw away(settings, `The development server that was started there did not answer within ${START_MS / 1000} s.`)
}

async function answers(settings: Settings): Promise<boolean> {
  const { checkTemporal } = await import('@koco/temporal')
  try {
    await checkTemporal(temporalPlace(settings))
    return true
  } catch (error) {
    // One that answers and lacks the namespace, say, is not made better by a second one on its port.
    if (error instanceof UnavailableError && error.code === 'temporal_unavailable') return false
    throw error
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await ended
  clearTimeout(timer)
}

function findTemporal(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const folders = [...(env['PATH'] ?? '').split(delimiter), env['GOBIN'] ?? '', join(env['GOPATH'] ?? join(homedir(), 'go'), 'bin')]
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'temporal'))
    .find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function splitAddress(address: string): string[] {
  const at = address.lastIndexOf(':')
  return at < 0 ? [address, '7233'] : [address.slice(0, at), address.slice(at + 1)]
}

function away(settings: Settings, hint: string): UnavailableError {
  return new UnavailableError(`No Temporal answers at ${settings.temporalHost} (KODO_TEMPORAL_HOST). ${hint}`, { code: 'temporal_unavailable' })
}
