import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { RefusedError } from '@koco/core'
import { killMarked, signalGroup, useOfGroup } from './group.ts'
import { createLines, createTail } from './lines.ts'
import type { ProcessLimits, ProcessOptions, ProcessResult } from './port.ts'

/** Where and for whom a program runs. `run` and `attempt` mark its processes, so that what a koco that was killed left behind of an earlier try is found. */
export type ProcessPlace = {
  readonly attempt: string
  readonly folder: string
  readonly run: string
  readonly path: string
  readonly limits: ProcessLimits
  readonly diskUse: () => Promise<number>
}

/** Who hears of what the program writes, line by line. */
export type ProcessListener = { readonly stdout: (line: string) => void; readonly stderr: (line: string) => void }

type Child = ChildProcessByStdio<Writable, Readable, Readable>

const TERM_MS = 5_000
const LOOK_MS = 100
const DISK_LOOK_MS = 500
/** How long what is written by processes that outlived their leader is waited for. */
const DRAIN_MS = 1_000
const TAIL_CHARS = 16 * 1024

/**
 * Runs a program in a folder, within limits, as the leader of a process group of its own. When it ends, and when koco does, nothing of it is left. At a limit or when the signal aborts, the group gets SIGTERM,
 * and SIGKILL 5 s later. RefusedError `process_limit` at a limit, `no_command` for a program that is not there, `no_processes` on systems that cannot hold programs to limits; the signal's reason when it aborts.
 */
export async function runProcess(
  { command, stdin = '', env = {} }: ProcessOptions,
  place: ProcessPlace,
  listener: ProcessListener,
  signal: AbortSignal,
): Promise<ProcessResult> {
  signal.throwIfAborted()
  const [program, ...args] = command
  const found = await findProgram(program, place)
  const [setpriv, prlimit] = await limiters(place)
  killMarked(`KOCO_RUN=${place.run}`, `KOCO_TRY=${place.attempt}`)
  const mark = randomUUID()
  const { cpuS, diskBytes } = place.limits
  // Both become the program by exec: it dies with this process, and the kernel itself ends a single process that spins or fills the disk.
  const bound = ['--pdeathsig', 'KILL', '--', prlimit, '--core=0', `--fsize=${diskBytes}`, `--cpu=${Math.ceil(cpuS) + 1}`, '--', found, ...args]
  const child: Child = spawn(setpriv, bound, {
    cwd: place.folder,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: place.path, HOME: place.folder, LANG: 'C.UTF-8', TERM: 'dumb', ...env, KOCO_RUN: place.run, KOCO_TRY: place.attempt, KOCO_PROCESS: mark },
  })
  // A program that does not read what it is given is its own affair.
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin)
  return await new Watch(child, place, listener, mark).result(signal)
}

/** Looks after one program from its start to its end. */
class Watch {
  readonly #child: Child
  readonly #place: ProcessPlace
  readonly #mark: string
  readonly #began = performance.now()
  readonly #stdout = createTail(TAIL_CHARS)
  readonly #stderr = createTail(TAIL_CHARS)
  readonly #listener: ProcessListener
  #lines = 0
  #bytes = 0
  #why: Error | undefined
  #killer: NodeJS.Timeout | undefined

  constructor(child: Child, place: ProcessPlace, listener: ProcessListener, mark: string) {
    this.#child = child
    this.#place = place
    this.#listener = listener
    this.#mark = mark
  }

  async result(signal: AbortSignal): Promise<ProcessResult> {
    const { limits } = this.#place
    const abort = (): void => this.#stop(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    const wall = setTimeout(() => this.#exceed('wall', `has run for ${limits.wallMs} ms`), limits.wallMs)
    const looks = [setInterval(() => this.#look(), LOOK_MS), setInterval(() => void this.#lookAtDisk(), DISK_LOOK_MS)]
    signal.addEventListener('abort', abort)
    const done = Promise.all([this.#read(this.#child.stdout, 'stdout'), this.#read(this.#child.stderr, 'stderr')])
    try {
      const [code, ended] = await exitOf(this.#child)
      this.#sweep()
      await Promise.race([done, new Promise((late) => setTimeout(late, DRAIN_MS).unref())])
      await this.#lookAtDisk()
      if (ended === 'SIGXCPU') this.#exceed('cpu', `has used ${limits.cpuS} s of processor time`)
      if (ended === 'SIGXFSZ') this.#exceed('disk', `has written a file of more than ${limits.diskBytes} bytes`)
      if (this.#why) throw this.#why
      const durationS = Math.round(performance.now() - this.#began) / 1000
      return { code, signal: ended, stdout: this.#stdout.text(), stderr: this.#stderr.text(), lines: this.#lines, durationS }
    } finally {
      signal.removeEventListener('abort', abort)
      for (const timer of [wall, this.#killer, ...looks]) clearTimeout(timer)
      this.#child.stdout.destroy()
      this.#child.stderr.destroy()
    }
  }

  #read(stream: Readable, name: 'stdout' | 'stderr'): Promise<void> {
    const tail = name === 'stdout' ? this.#stdout : this.#stderr
    const lines = createLines((line) => {
      tail.add(`${line}\n`)
      if (name === 'stdout' && line.startsWith('{')) this.#lines += 1
      if (this.#why === undefined) this.#listener[name](line)
    })
    return new Promise((resolve) => {
      stream.on('data', (chunk: Buffer) => {
        this.#bytes += chunk.byteLength
        if (this.#bytes > this.#place.limits.outputBytes) this.#exceed('output', `has written more than ${this.#place.limits.outputBytes} bytes`)
        else lines.write(chunk)
      })
      stream.once('end', () => {
        lines.end()
        resolve()
      })
      stream.once('error', () => resolve())
    })
  }

  #look(): void {
    const { pid } = this.#child
    if (pid === undefined || this.#why) return
    const { memoryBytes, cpuS } = this.#place.limits
    const use = useOfGroup(pid)
    if (use.memoryBytes > memoryBytes) this.#exceed('memory', `uses ${use.memoryBytes} bytes of memory, more than ${memoryBytes}`)
    else if (use.cpuS > cpuS) this.#exceed('cpu', `has used ${cpuS} s of processor time`)
  }

  async #lookAtDisk(): Promise<void> {
    const { diskBytes } = this.#place.limits
    const used = await this.#place.diskUse().catch(() => 0)
    if (used > diskBytes) this.#exceed('disk', `has filled its workspace with ${used} bytes, more than ${diskBytes}`)
  }

  #exceed(limit: keyof typeof LIMITS, what: string): void {
    this.#stop(new RefusedError(`The program ${what}, and was ended. ${LIMITS[limit]}`, { code: 'process_limit', details: { limit } }))
  }

  #stop(why: Error): void {
    if (this.#why) return
    this.#why = why
    const { pid } = this.#child
    if (pid === undefined) return
    signalGroup(pid, 'SIGTERM')
    this.#killer = setTimeout(() => this.#sweep(), TERM_MS)
  }

  /** Nothing of it goes on: not its group, and not what left the group. */
  #sweep(): void {
    const { pid } = this.#child
    if (pid !== undefined) signalGroup(pid, 'SIGKILL')
    killMarked(`KOCO_PROCESS=${this.#mark}`)
  }
}

const LIMITS = {
  memory: 'Give it more by limits.memoryBytes.',
  cpu: 'Give it more by limits.cpuS.',
  wall: 'Give it more by limits.wallMs.',
  output: 'Let it write less, or give it more by limits.outputBytes.',
  disk: 'Let it write less, or give it more by limits.diskBytes.',
} as const

function exitOf(child: Child): Promise<readonly [number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve([code, signal]))
  })
}

/** The program's file: a path within the workspace or an absolute one as it is, a name by PATH. */
async function findProgram(program: string, place: Pick<ProcessPlace, 'folder' | 'path'>): Promise<string> {
  const found = await lookFor(program, place)
  if (found !== undefined) return found
  throw new RefusedError(`There is no program "${program}" to run: install it where flows run, or give its path.`, { code: 'no_command' })
}

async function lookFor(program: string, { folder, path }: Pick<ProcessPlace, 'folder' | 'path'>): Promise<string | undefined> {
  const candidates = program.includes('/') ? [resolve(folder, program)] : path.split(delimiter).map((dir) => join(dir, program))
  for (const candidate of candidates) {
    const there = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (there) return candidate
  }
  return undefined
}

/** The two programs that hold others to limits. */
async function limiters(place: ProcessPlace): Promise<readonly [string, string]> {
  const [setpriv, prlimit] = await Promise.all([lookFor('setpriv', place), lookFor('prlimit', place)])
  if (process.platform === 'linux' && setpriv !== undefined && prlimit !== undefined) return [setpriv, prlimit]
  throw new RefusedError('Programs are run only where they can be held to limits: on Linux with util-linux (setpriv, prlimit).', { code: 'no_processes' })
}
