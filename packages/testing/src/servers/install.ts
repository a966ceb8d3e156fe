import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { cacheFolder, findProgram } from './find.ts'

const run = promisify(execFile)
const INSTALL_MS = 15 * 60_000
const OUTPUT_BYTES = 16 * 1024 * 1024

/** Runs a program to its end and gives its output; throws with the end of its error output. */
export async function runToEnd(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = { env: { ...process.env, ...env }, timeout: INSTALL_MS, maxBuffer: OUTPUT_BYTES }
  const { stdout } = await run(program, args, options).catch((error: Error & { stderr?: string }) => {
    throw new Error(`"${program} ${args.join(' ')}" failed: ${(error.stderr ?? '').trim().slice(-800) || error.message}`, { cause: error })
  })
  return stdout
}

/** Finds a program, or installs it and finds it then. Two processes at once install once: the second waits and finds it. */
export async function findOrInstall(find: () => string | undefined, install: () => Promise<void>, remedy: string): Promise<string> {
  const found = find()
  if (found !== undefined) return found
  const release = await installLock()
  try {
    const foundMeanwhile = find()
    if (foundMeanwhile !== undefined) return foundMeanwhile
    await install()
  } catch (error) {
    throw new Error(`${remedy} Installing it failed: ${(error as Error).message}`, { cause: error })
  } finally {
    release()
  }
  const installed = find()
  if (installed === undefined) throw new Error(`${remedy} It was installed, but cannot be found.`)
  return installed
}

/** Installs Debian packages for the whole machine, as root or through `sudo -n`. Throws when neither is possible. */
export async function installDebian(packages: readonly string[]): Promise<void> {
  if (findProgram(['apt-get']) === undefined) throw new Error('there is no apt-get on this machine')
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const aptGet = async (...args: string[]) => {
    const [program = 'apt-get', ...rest] = [...sudo, 'apt-get', ...args]
    await runToEnd(program, rest, { DEBIAN_FRONTEND: 'noninteractive' })
  }
  await aptGet('update')
  await aptGet('install', '-y', '--no-install-recommends', ...packages)
}

/** Unpacks Debian packages and the libraries that this machine lacks into a folder; needs no rights at all. */
export async function unpackDebian(packages: readonly string[], folder: string): Promise<void> {
  if (findProgram(['apt-get']) === undefined) throw new Error('there is no apt-get on this machine')
  const state = join(folder, 'apt')
  for (const sub of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(state, sub), { recursive: true })
  const options = ['Debug::NoLocking=1', `Dir::State::Lists=${join(state, 'lists')}`, `Dir::Cache=${join(state, 'cache')}`].flatMap((option) => ['-o', option])
  await runToEnd('apt-get', [...options, 'update'])
  await runToEnd('apt-get', [...options, 'install', '-y', '--no-install-recommends', '--download-only', '--reinstall', ...packages])
  const archives = join(state, 'cache/archives')
  const files = (await runToEnd('find', [archives, '-name', '*.deb'])).trim().split('\n')
  for (const file of files) await runToEnd('dpkg', ['-x', file, folder])
  rmSync(state, { recursive: true, force: true })
}

/** Waits for the machine-wide right to install, kept in a folder with the holder's process id; a dead holder's is taken over. */
async function installLock(): Promise<() => void> {
  const lock = join(cacheFolder(), 'install.lock')
  mkdirSync(cacheFolder(), { recursive: true })
  const deadline = Date.now() + INSTALL_MS
  while (Date.now() < deadline) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      return () => rmSync(lock, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (!holderLives(lock)) rmSync(lock, { force: true })
      else await delay(200)
    }
  }
  throw new Error(`Another process has been installing for ${INSTALL_MS / 60_000} minutes; remove ${lock} if that is not so.`)
}

function holderLives(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')) || process.pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
