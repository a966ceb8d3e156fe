import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, copyFile, cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { newFolder } from '@koco/testing'

const run = promisify(execFile)
const STAGE_SCRIPT = fileURLToPath(new URL('../../../cli/src/packing/image.ts', import.meta.url))
/** The user of the image. */
const UID = 10_001
const WORKDIR = '/koco'
const OUTPUT_MAX = 64 * 1024

/** A process in a bare root. */
export type RootProcess = {
  output(): string
  readonly exited: Promise<number | null>
  kill(signal: NodeJS.Signals): void
}

/**
 * A root folder with nothing but what the container image holds: Node with its libraries, and the staged files under /koco. It stands in for a container where no daemon can run one: a file, a library or a
 * right that the image forgot is missing here too.
 */
export type BareRoot = {
  readonly folder: string
  /** Starts a program of the root as the image's user, with this environment and no other. */
  spawn(argv: readonly string[], env: Readonly<Record<string, string>>): RootProcess
  close(): Promise<void>
}

/** Stages the image's files and puts the root together around them. */
export async function createBareRoot(): Promise<BareRoot> {
  const folder = newFolder('root')
  try {
    await fill(folder)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  const running = new Set<ChildProcess>()
  return {
    folder,
    spawn(argv, env) {
      const [program = 'unshare', ...args] = chrootCommand(folder, argv)
      const child = spawn(program, args, { env: { PATH: '/usr/local/bin:/usr/bin:/bin', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
      running.add(child)
      return follow(child, () => running.delete(child))
    },
    async close() {
      for (const child of running) child.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function fill(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  await run(process.execPath, [STAGE_SCRIPT, join(folder, 'koco')])
  const node = join(folder, 'usr/local/bin/node')
  await copyWithLibraries(process.execPath, node, folder)
  await copyWithLibraries('/usr/bin/env', join(folder, 'usr/bin/env'), folder)
  for (const native of await nativeModules(join(folder, 'koco'))) await copyLibraries(native, folder)
  await mkdir(join(folder, 'tmp'), { mode: 0o1777 })
  await mkdir(join(folder, 'etc'))
  await mkdir(join(folder, 'proc'))
  await writeFile(join(folder, 'etc/passwd'), `koco:x:${UID}:${UID}::/koco/data:/usr/sbin/nologin\n`)
  await cp('/etc/hosts', join(folder, 'etc/hosts'))
  for (const own of ['koco/data', 'run/koco', 'tmp']) {
    await mkdir(join(folder, own), { recursive: true })
    if (process.getuid?.() === 0) await chown(join(folder, own), UID, UID)
  }
}

/** A name space of mounts gives the root its /proc, as a container has it. Without root's rights one of users allows that too; then the process is root inside. */
function chrootCommand(folder: string, argv: readonly string[]): string[] {
  const isRoot = process.getuid?.() === 0
  const spaces = isRoot ? ['--mount'] : ['--user', '--map-root-user', '--mount']
  const script = 'mount --rbind /proc "$0/proc" && exec /usr/sbin/chroot "$@"'
  const inside = [folder, '/usr/bin/env', `--chdir=${WORKDIR}`, ...argv]
  return ['unshare', ...spaces, '/bin/sh', '-c', script, folder, ...(isRoot ? [`--userspec=${UID}:${UID}`] : []), ...inside]
}

function follow(child: ChildProcess, ended: () => void): RootProcess {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-OUTPUT_MAX)))
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      ended()
      resolve(code)
    })
  })
  return { output: () => output, exited, kill: (signal) => void child.kill(signal) }
}

async function nativeModules(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true })
  return entries.filter((name) => name.endsWith('.node') && !name.includes('musl')).map((name) => join(folder, name))
}

async function copyWithLibraries(program: string, target: string, root: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  await copyFile(program, target)
  await copyLibraries(program, root)
}

/** Copies the shared libraries that a binary names, and the loader, to where they are on this machine. */
async function copyLibraries(binary: string, root: string): Promise<void> {
  const { stdout } = await run('ldd', [binary])
  for (const [, path = ''] of stdout.matchAll(/(\/\S+) \(0x/g)) {
    const target = join(root, path)
    if (existsSync(target)) continue
    await mkdir(dirname(target), { recursive: true })
    await copyFile(path, target)
  }
}
