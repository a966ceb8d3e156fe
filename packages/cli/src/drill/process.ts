import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { UnavailableError } from '@koco/core'
import { PACKAGE_ROOT } from '../version.ts'

const BIN = fileURLToPath(new URL('bin/koco.mjs', PACKAGE_ROOT))

/** A `koco` process of the drill's own. */
export type DrillProcess = {
  readonly pid: number
  readonly alive: boolean
  /** Sends a signal; for one that ends the process resolves when it has ended. */
  signal(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void>
  /** Throws UnavailableError with its last words when it has ended. */
  mustLive(): void
}

/** Starts `koco <args>` in a folder, its words in `log`. The environment holds only PATH, HOME and `env`. */
export function startProcess(
  args: readonly string[],
  at: { readonly env: Readonly<Record<string, string>>; readonly dir: string; readonly log: string },
): DrillProcess {
  const log = openSync(at.log, 'a')
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...at.env }
  // Ctrl-C is meant for the drill, which ends what it started; by the channel they hear when it is killed outright.
  const child = spawn(process.execPath, [BIN, ...args], { cwd: at.dir, env, stdio: ['ignore', log, log, 'ipc'], detached: true })
  closeSync(log)
  child.once('error', () => undefined)
  const alive = (): boolean => child.pid !== undefined && child.exitCode === null && child.signalCode === null
  return {
    pid: child.pid ?? -1,
    get alive() {
      return alive()
    },
    async signal(signal) {
      if (!alive()) return
      const ended = once(child, 'exit')
      child.kill(signal)
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await ended
    },
    mustLive() {
      if (alive()) return
      const words = readFileSync(at.log, 'utf8').trim().split('\n').slice(-5).join('\n')
      throw new UnavailableError(`\`koco ${args[0]}\` ended (${child.exitCode ?? child.signalCode}): ${words}`, { code: 'drill_process' })
    },
  }
}
