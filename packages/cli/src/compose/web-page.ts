import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { RefusedError } from '@koco/core'
import { IN_CHECKOUT, PACKAGE_ROOT } from '../version.ts'

const PACKED = fileURLToPath(new URL('web', PACKAGE_ROOT))
const SOURCES = fileURLToPath(new URL('../web', PACKAGE_ROOT))
const LOCK_WAIT_MS = 120_000

/**
 * The folder of the built web page. In the checkout it is built first when it is missing or older than its sources; `say` hears that, and why a build failed: then the older page is
 * served, or none (null).
 */
export async function webPageIfBuilt(say: (text: string) => void): Promise<string | null> {
  try {
    return await webPage(say)
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    say(error.message)
    const dist = join(SOURCES, 'dist')
    return existsSync(join(dist, 'index.html')) ? dist : null
  }
}

/** The same, with RefusedError `web_build_failed` and the build's words when it fails. */
export async function webPage(say: (text: string) => void): Promise<string> {
  if (!IN_CHECKOUT) return PACKED
  const dist = join(SOURCES, 'dist')
  if (!(await isStale(dist))) return dist
  await exclusively(join(SOURCES, 'node_modules/.koco-build'), async () => {
    if (!(await isStale(dist))) return
    say('Building the web page (once, and after changes to it)…')
    await build(dist)
  })
  return dist
}

async function isStale(dist: string): Promise<boolean> {
  const built = await stat(join(dist, 'index.html')).catch(() => undefined)
  return built === undefined || (await newestMs(SOURCES)) > built.mtimeMs
}

async function newestMs(folder: string): Promise<number> {
  const list = () => readdir(folder, { withFileTypes: true, recursive: true })
  // A folder that another process's build takes away under the walk is not there at the next.
  const entries = await list().catch(list)
  const files = entries.filter(
    (entry) => entry.isFile() && !/[/\\](dist(-\d+)?|node_modules)([/\\]|$)/.test(`${entry.parentPath}/`) && !/\.test\.tsx?$/.test(entry.name),
  )
  // What another process's build takes away meanwhile is no source.
  const times = await Promise.all(files.map(async (entry) => (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.mtimeMs ?? 0))
  return Math.max(0, ...times)
}

/** Builds beside the old page and then takes its place, so that a panel which serves it never sees half of one. */
async function build(dist: string): Promise<void> {
  const fresh = `${dist}-${process.pid}`
  const vite = join(dirname(createRequire(join(SOURCES, 'package.json')).resolve('vite/package.json')), 'bin/vite.js')
  const { code, output } = await runNode([vite, 'build', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn'], SOURCES)
  if (code !== 0) {
    await rm(fresh, { recursive: true, force: true })
    throw new RefusedError(`The web page could not be built (vite ended with ${code}):\n${output}`, { code: 'web_build_failed' })
  }
  await rm(dist, { recursive: true, force: true })
  await rename(fresh, dist)
}

function runNode(args: readonly string[], cwd: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-16_384)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}

/** Runs a task while no other process runs it. A lock whose process is gone is taken over. */
async function exclusively(lock: string, task: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + LOCK_WAIT_MS
  while (!(await takeLock(lock))) {
    if (Date.now() > deadline)
      throw new RefusedError(`Another process builds the web page for over two minutes: if none does, remove ${lock}.`, { code: 'web_build_failed' })
    await sleep(200)
  }
  try {
    await task()
  } finally {
    await rm(lock, { force: true })
  }
}

async function takeLock(lock: string): Promise<boolean> {
  await mkdir(dirname(lock), { recursive: true })
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    if (!isAlive(lock)) await rm(lock, { force: true })
    return false
  }
}

function isAlive(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
