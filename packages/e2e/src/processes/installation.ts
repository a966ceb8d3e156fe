import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, tellOnFailure } from '@koco/testing'
import { ApiClient } from './api-client.ts'
import { startKoco, type KocoOptions, type KocoProcess } from './koco-process.ts'

/** The admin's password in each installation. */
export const PASSWORD = 'a-password-for-tests-only'

/** Real koco processes around one data folder, as a person would start them. */
export type Installation = {
  readonly dir: string
  readonly address: string
  readonly env: Readonly<Record<string, string>>
  /** Starts `koco <args>` with the installation's settings. */
  spawn(args: readonly string[], options?: KocoOptions): KocoProcess
  /** Starts the panel (`start` embedded, `serve` otherwise) and resolves when it is ready. */
  startPanel(command: 'start' | 'serve', args?: readonly string[], options?: KocoOptions): Promise<KocoProcess>
  /** A client signed in as the admin. */
  client(): Promise<ApiClient>
  /** Ends all processes that it started, and removes the folder. */
  close(): Promise<void>
}

const LINES_TOLD = 25

/** An installation in a throw-away folder on a free port; `settings` are `KODO_*` variables. */
export async function createInstallation(settings: Readonly<Record<string, string>> = {}): Promise<Installation> {
  const dir = await mkdtemp(join(tmpdir(), 'koco-e2e-'))
  const address = `http://127.0.0.1:${await freePort()}`
  const env = {
    KODO_APP_SERVER: address,
    KODO_EXEC_DIR: join(dir, 'execution'),
    KODO_UPLOAD_DIR: join(dir, 'uploads'),
    KODO_ADMIN_DATABASE: `sqlite:///${join(dir, 'admin.db')}`,
    KODO_ADMIN_PASSWORD: PASSWORD,
    KODO_LOG_FORMAT: 'json',
    KODO_LOG_LEVEL: 'warn',
    ...settings,
  }
  const running: KocoProcess[] = []
  const untold: (() => void)[] = []
  const spawn = (args: readonly string[], options?: KocoOptions): KocoProcess => {
    const child = startKoco(args, env, dir, options)
    running.push(child)
    untold.push(tellOnFailure(() => `koco ${args.join(' ')} (process ${child.pid}) said last:\n${child.output().split('\n').slice(-LINES_TOLD).join('\n')}`))
    return child
  }
  return {
    dir,
    address,
    env,
    spawn,
    async startPanel(command, args = [], options) {
      const child = spawn([command, ...args], options)
      await child.until(() => answers(`${address}/readyz`))
      return child
    },
    client: () => ApiClient.signIn(address, 'admin', PASSWORD),
    async close() {
      for (const forget of untold) forget()
      await Promise.all(running.map((child) => child.kill('SIGKILL')))
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok
  } catch {
    return false
  }
}
