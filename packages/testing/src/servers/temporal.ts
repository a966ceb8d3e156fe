import { join } from 'node:path'
import { goProgram } from './go-program.ts'
import { runToEnd } from './install.ts'
import { freePort, newFolder, ServerProcess, startOrStop, type RunningServer } from './process.ts'

/** A Temporal development server of one test's own. */
export type TemporalServer = RunningServer & {
  /** `host:port`; its namespace is `default`. */
  readonly address: string
  readonly port: number
  /** Address of Temporal's own page; null without one. */
  readonly page: string | null
}

const VERSION = 'v1.5.1' // newer tags do not install by `go install`
const REMEDY =
  'Tests need a Temporal server: put the temporal CLI on the PATH (https://docs.temporal.io/cli), or Go, with which it is installed, or set KODO_TEST_TEMPORAL_ADDRESS.'

/** Starts Temporal on a free port of the loopback interface; without the CLI on this machine, Go builds it (some minutes, once). `page`: with its own page, on another free port. */
export async function startTemporal({ page = false }: { readonly page?: boolean } = {}): Promise<TemporalServer> {
  const command = await temporalProgram()
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const folder = newFolder('temporal')
  const pragmas = ['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=OFF']
  const pagePort = page ? await freePort() : null
  const look = pagePort === null ? ['--headless'] : ['--ui-port', String(pagePort)]
  const place = [...look, '--ip', '127.0.0.1', '--port', String(port), '--http-port', String(await freePort()), '--metrics-port', String(await freePort())]
  const args = ['server', 'start-dev', ...place, '--db-filename', join(folder, 'temporal.db'), ...pragmas, '--log-level', 'error']
  const server = new ServerProcess({ name: 'Temporal', command, args, folder, answers: () => serves(command, address), withinMs: 60_000 })
  await startOrStop(server)
  return Object.assign(server, { address, port, page: pagePort === null ? null : `http://127.0.0.1:${pagePort}` })
}

/** The temporal CLI: on the PATH, in the folders of Go, else built by Go. */
export function temporalProgram(): Promise<string> {
  return goProgram({ name: 'temporal', source: `github.com/temporalio/cli/cmd/temporal@${VERSION}`, remedy: REMEDY })
}

/** True when the server answers for its namespace; throws when it does not. */
export async function serves(command: string, address: string): Promise<boolean> {
  await runToEnd(command, ['operator', 'namespace', 'describe', '-n', 'default', '--address', address, '--command-timeout', '2s'])
  return true
}
