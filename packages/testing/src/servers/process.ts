import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { assert } from '@koco/core'
import { startGuard, type Guard } from './guard.ts'

/** Whoever is killed is gone within this, or is a zombie that nobody collects. */
const GONE_MS = 2_000
const POLL_MS = 20
const LOG_LINES = 30

/** How to run a server. `answers` is asked again and again until it is true; errors in it count as false. */
export type ServerSpec = {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly folder: string
  readonly answers: () => Promise<boolean>
  readonly withinMs: number
  readonly env?: NodeJS.ProcessEnv
  readonly user?: { readonly uid: number; readonly gid: number } | undefined
  /** Removes its data, while it does not run. */
  readonly wipe?: () => Promise<void>
}

/** What a test may do with a server of its own, whichever it is. */
export type RunningServer = {
  readonly pid: number
  /** The last lines that it logged. */
  log(): string
  /** SIGSTOP: it keeps its sockets and answers nothing. */
  pause(): void
  /** SIGCONT after a `pause`. */
  resume(): void
  /** As at a power cut: what it has on its disk is there again after `restart`. */
  kill(): Promise<void>
  /** Kills it when it runs and starts it on the same port; `wipe` removes its data. */
  restart(options?: { readonly wipe?: boolean }): Promise<void>
  /** Kills it and removes its folder. Nothing can be done with it afterwards. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A server process of a test: started when it answers, gone with its folder at the end, also when the tests are killed. */
export class ServerProcess implements RunningServer {
  readonly #spec: ServerSpec
  readonly #guard: Guard
  #child: ChildProcess | undefined

  constructor(spec: ServerSpec) {
    this.#spec = spec
    this.#guard = startGuard(spec.folder)
  }

  get pid(): number {
    assert(this.#child?.pid !== undefined, `${this.#spec.name} is not running`)
    return this.#child.pid
  }

  /** Starts the server and waits until it answers. Throws with the tail of its log when it ends before or stays silent. */
  async start(): Promise<void> {
    const { name, command, args, folder, env, user, withinMs } = this.#spec
    assert(this.#child === undefined, `${name} is running already`)
    const log = openSync(join(folder, 'server.log'), 'a')
    const child = spawn(command, args, { cwd: folder, stdio: ['ignore', log, log], detached: true, env: { ...process.env, ...env }, ...user })
    closeSync(log)
    child.unref()
    this.#child = child
    this.#guard.watch(child.pid)
    const fault = await firstAnswer(child, this.#spec)
    if (fault === undefined) return
    const tail = this.log()
    await this.kill()
    throw new Error(`${name} ${fault} (${command} ${args.join(' ')}, waited up to ${withinMs} ms). Its log:\n${tail}`)
  }

  log(): string {
    return readFileSync(join(this.#spec.folder, 'server.log'), 'utf8').split('\n').slice(-LOG_LINES).join('\n')
  }

  pause(): void {
    for (const pid of familyOf(this.pid)) process.kill(pid, 'SIGSTOP')
  }

  resume(): void {
    for (const pid of familyOf(this.pid)) process.kill(pid, 'SIGCONT')
  }

  /** Ends the server and waits until it is gone: by default as at a power cut, with SIGTERM (or Postgres' SIGINT) in order. Harmless when it is not running. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (!child) return
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      child.ref()
      const exited = once(child, 'exit')
      if (signal === 'SIGKILL') await killFamily(child.pid)
      else process.kill(child.pid, signal)
      await exited
    }
    this.#child = undefined
    this.#guard.watch(undefined)
  }

  async restart({ wipe = false }: { readonly wipe?: boolean } = {}): Promise<void> {
    await this.kill()
    if (wipe) await this.#spec.wipe?.()
    await this.start()
  }

  async stop(): Promise<void> {
    await this.kill()
    await this.#guard.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

/** Starts a server after `prepare`; when either fails its folder goes as well. */
export async function startOrStop(server: ServerProcess, prepare?: () => Promise<void>): Promise<void> {
  try {
    await prepare?.()
    await server.start()
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** A process and all below it, the parents first: Postgres' servers of connections are groups of their own, so a signal to the group would miss them. */
function familyOf(root: number): number[] {
  const pairs = execFileSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const family = [root]
  for (const parent of family) for (const [ppid, pid] of pairs) if (ppid === parent && pid !== undefined) family.push(pid)
  return family
}

/**
 * Ends a process and all below it at once, and waits until they are gone: Postgres' servers of connections outlive their parent until they notice, and keep its memory, with which another does not start.
 * The parent is stopped first, so that it makes no more of them.
 */
async function killFamily(root: number): Promise<void> {
  process.kill(root, 'SIGSTOP')
  const family = familyOf(root)
  process.kill(-root, 'SIGKILL')
  const deadline = Date.now() + GONE_MS
  for (const pid of family) while (endProcess(pid) && pid !== root && Date.now() < deadline) await delay(POLL_MS)
}

/** Kills a process; false when there is none. */
function endProcess(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}

async function firstAnswer(child: ChildProcess, spec: ServerSpec): Promise<string | undefined> {
  let fault: string | undefined
  child.once('error', (error) => (fault = `could not be started: ${error.message}`))
  child.once('exit', (code, signal) => (fault ??= `ended with ${code ?? signal}`))
  const deadline = Date.now() + spec.withinMs
  while (Date.now() < deadline) {
    if (fault !== undefined) return fault
    if (await spec.answers().catch(() => false)) return undefined
    await delay(POLL_MS)
  }
  return fault ?? 'did not answer'
}

/** A new empty folder of this test process under the system's temporary folder. */
export function newFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `koco-${name}-`))
}

// Below the ports that systems hand out by themselves (Linux: from 32768 on), with a thousand to spare for those that are counted from one of ours. One of those would be given away again before its server has started: to the next who asks for any, or as the near end of a connection.
const PORTS = { first: 11_000, count: 20_000 }
let lastPort = randomInt(PORTS.count)

/** A TCP port of the loopback interface that was free a moment ago, and that nobody is given by chance. */
export async function freePort(): Promise<number> {
  lastPort = (lastPort + 1) % PORTS.count
  const port = PORTS.first + lastPort
  const server = createServer()
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
  return free ? port : freePort()
}
