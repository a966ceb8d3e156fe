import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundleWorkflowCode } from '@temporalio/worker'
import type { Log } from '../log.ts'

/** The workflow bundle beside the compiled code of a packed koco. */
export const BUNDLE_FILE = 'agent-workflow.js'

const WORKFLOWS = new URL('../workflow/', import.meta.url)
/** Modules without a state of a workflow's own, evaluated once a worker in place of once a workflow: half of what a workflow costs. */
const SHARED = ['@temporalio/common', 'long', 'ms', 'nexus-rpc']
const NAMES = new URL('../names.ts', import.meta.url)

/**
 * The path of the code that workflows run: beside the compiled code when there is one, else bundled from the sources, once for each state of them and of the SDK, and kept in
 * `cacheDir`.
 */
export async function workflowBundle(cacheDir: string, log: Log): Promise<string> {
  const packed = fileURLToPath(new URL(BUNDLE_FILE, import.meta.url))
  if (existsSync(packed)) return packed
  const path = join(cacheDir, `agent-workflow-${await fingerprint()}.js`)
  if (!existsSync(path)) {
    await mkdir(cacheDir, { recursive: true })
    await buildElsewhere(path, log)
  }
  return path
}

/** Builds it in a process of its own: what a bundler leaves behind must not stay in a worker for its life. */
async function buildElsewhere(path: string, log: Log): Promise<void> {
  const script = fileURLToPath(new URL('build-bundle.ts', import.meta.url))
  try {
    await promisify(execFile)(process.execPath, [script, path])
  } catch (error) {
    log('error', `the workflow could not be bundled: ${(error as { stderr?: string }).stderr ?? ''}`, error)
    throw error
  }
}

/** Bundles the workflow from its sources into a file; a reader never sees half of it. */
export async function buildWorkflowBundle(path: string, log: Log): Promise<void> {
  const workflowsPath = fileURLToPath(new URL('index.ts', WORKFLOWS))
  const { code } = await bundleWorkflowCode({ workflowsPath, preloadModules: [...SHARED], logger: bundleLogger(log) })
  const fresh = `${path}.${randomUUID()}`
  await writeFile(fresh, withoutSources(code))
  await rename(fresh, path)
}

const MAP = /^(\/\/# sourceMappingURL=data:application\/json;[^\n]*base64,)(\S+)\s*$/m

/** The code with a map that leads to lines of the sources, as stacks of failures name them, and does not hold the sources: they are half of the bundle, and a worker keeps several copies of it. */
function withoutSources(code: string): string {
  return code.replace(MAP, (_comment, before: string, map: string) => {
    const { sourcesContent: _left, ...lines } = JSON.parse(Buffer.from(map, 'base64').toString()) as Record<string, unknown>
    return before + Buffer.from(JSON.stringify(lines)).toString('base64')
  })
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256').update(SHARED.join())
  const sources = (await readdir(WORKFLOWS)).filter((name) => !name.includes('.test.')).toSorted()
  const files = [NAMES, ...sources.map((name) => new URL(name, WORKFLOWS))].map((url) => fileURLToPath(url))
  files.push(join(dirname(createRequire(import.meta.url).resolve('@temporalio/worker')), '../package.json'))
  for (const file of files) hash.update(await readFile(file)).update('\0')
  return hash.digest('hex').slice(0, 16)
}

function bundleLogger(log: Log): NonNullable<Parameters<typeof bundleWorkflowCode>[0]['logger']> {
  const quiet = (): void => undefined
  const error = (message: string, meta?: unknown): void => log('error', `workflow bundle: ${message}`, meta)
  return { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error }
}
