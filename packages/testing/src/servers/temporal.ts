import { homedir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './find.ts'
import { findOrInstall, runToEnd } from './install.ts'
import { freePort, newFolder, ServerProcess, startOrStop } from './process.ts'

/** A Temporal development server of one test's own. */
export type TemporalServer = {
  /** `host:port`; its namespace is `default`. */
  readonly address: string
  readonly port: number
  readonly pid: number
  log(): string
  pause(): void
  resume(): void
  kill(): Promise<void>
  /** Kills it when it runs and starts it on the same port; its workflows are there again. */
  restart(): Promise<void>
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const VERSION = 'v1.5.1' // newer tags do not install by `go install`
const REMEDY =
  'Tests need a Temporal server: put the temporal CLI on the PATH (https://docs.temporal.io/cli), or Go, with which it is installed, or set KODO_TEST_TEMPORAL_ADDRESS.'

/** Starts Temporal on a free port of the loopback interface; without the CLI on this machine, Go builds it (some minutes, once). */
export async function startTemporal(): Promise<TemporalServer> {
  const command = await temporalProgram()
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const folder = newFolder('temporal')
  const pragmas = ['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=OFF']
  const place = ['--headless', '--ip', '127.0.0.1', '--port', String(port), '--http-port', String(await freePort()), '--metrics-port', String(await freePort())]
  const args = ['server', 'start-dev', ...place, '--db-filename', join(folder, 'temporal.db'), ...pragmas, '--log-level', 'error']
  const server = new ServerProcess({ name: 'Temporal', command, args, folder, answers: () => serves(command, address), withinMs: 60_000 })
  await startOrStop(server)
  return {
    address,
    port,
    get pid() {
      return server.pid
    },
    log: () => server.log(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    kill: () => server.kill(),
    restart: async () => {
      await server.kill()
      await server.start()
    },
    stop: () => server.stop(),
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

/** The temporal CLI: on the PATH, in the folders of Go, else built by Go. */
export async function temporalProgram(): Promise<string> {
  const goFolders = [process.env['GOBIN'], join(process.env['GOPATH'] ?? join(homedir(), 'go'), 'bin')].filter((folder) => folder !== undefined)
  const install = async () => {
    const go = findProgram(['go'], ['/usr/local/go/bin', '/usr/lib/go/bin'])
    if (go === undefined) throw new Error('there is no go on this machine')
    await runToEnd(go, ['install', `github.com/temporalio/cli/cmd/temporal@${VERSION}`])
  }
  return await findOrInstall(() => findProgram(['temporal'], goFolders), install, REMEDY)
}

async function serves(command: string, address: string): Promise<boolean> {
  await runToEnd(command, ['operator', 'namespace', 'describe', '-n', 'default', '--address', address, '--command-timeout', '2s'])
  return true
}
