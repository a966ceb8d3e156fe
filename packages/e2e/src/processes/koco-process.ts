import { spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const KOCO = fileURLToPath(new URL('../../../cli/bin/koco.mjs', import.meta.url))
/** The first start in a fresh checkout builds the web page. */
const READY_TIMEOUT_MS = 120_000
const OUTPUT_MAX = 64 * 1024

/** A `koco` process of its own, with the tail of what it printed. */
export type KocoProcess = {
  readonly pid: number
  /** The last 64 KiB of what it printed, both streams. */
  output(): string
  /** Resolves when `ready` says so; rejects with the output when the process ends before, or after two minutes. */
  until(ready: () => boolean | Promise<boolean>): Promise<void>
  /** Sends a signal and, for one that ends it, resolves with the exit code when it has ended (null: by the signal). */
  kill(signal: NodeJS.Signals): Promise<number | null>
  readonly exited: Promise<number | null>
}

/** How a process differs from the others of its installation. */
export type KocoOptions = {
  /** Settings that only it has. */
  readonly env?: Readonly<Record<string, string>>
  /** Hears all that it prints, as it comes. */
  readonly heard?: (text: string) => void
  /** A command that runs it (it is followed by Node, koco and the arguments) and becomes it by exec, so that signals reach it. */
  readonly under?: readonly string[]
}

/** Starts `koco <args>`; the environment holds only PATH, HOME and `env`. */
export function startKoco(args: readonly string[], env: Readonly<Record<string, string>>, cwd: string, options: KocoOptions = {}): KocoProcess {
  const [program, ...command] = [...(options.under ?? []), process.execPath, KOCO, ...args]
  const child = spawn(program ?? process.execPath, command, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_MAX)
    options.heard?.(chunk.toString())
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  let ended = false
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      ended = true
      resolve(code)
    })
  })
  return {
    pid: child.pid ?? -1,
    output: () => output,
    exited,
    async until(ready) {
      const deadline = Date.now() + READY_TIMEOUT_MS
      while (!(await ready())) {
        if (ended || Date.now() > deadline) throw new Error(`koco ${args.join(' ')} ${ended ? 'ended' : 'was not ready in two minutes'}:\n${output}`)
        await delay(20)
      }
    },
    kill(signal) {
      if (!ended) child.kill(signal)
      return signal === 'SIGSTOP' || signal === 'SIGCONT' ? Promise.resolve(null) : exited
    },
  }
}
