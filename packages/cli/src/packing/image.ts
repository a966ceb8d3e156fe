import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { pack } from './pack.ts'

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url))
/** The examples that need nothing but koco; people mount their own folder over them. */
const FLOWS = ['hello.ts', 'folder-report']
const FLOWS_MODULE = `export { folderReport } from './folder-report/flow.ts'\nexport { hello } from './hello.ts'\n`

/**
 * Puts together what the container image holds, in the folder `out`: the packed package with its dependencies for this platform alone, two flows, and the health check. Flows find `koco` and `zod`
 * in the folder above them.
 */
export async function stageImage(out: string): Promise<void> {
  await rm(out, { recursive: true, force: true })
  await mkdir(join(out, 'flows'), { recursive: true })
  await writeFile(join(out, 'package.json'), '{"name": "koco-image", "private": true, "type": "module"}\n')
  const packed = await pack(out)
  await promisify(execFile)('npm', ['install', '--omit=dev', '--no-audit', '--no-fund', '--ignore-scripts', packed], { cwd: out })
  await rm(packed)
  await dropOtherPlatforms(join(out, 'node_modules/@temporalio/core-bridge/releases'), (name) => name === temporalPlatform())
  await dropOtherPlatforms(join(out, 'node_modules/better-sqlite3/prebuilds'), (name) => name.startsWith(`${process.platform}-${process.arch}`))
  for (const name of FLOWS)
    await cp(join(PACKAGES, 'examples/src', name), join(out, 'flows', name), { recursive: true, filter: (path) => !path.endsWith('.test.ts') })
  await writeFile(join(out, 'flows/flows.ts'), FLOWS_MODULE)
  for (const name of ['health.mjs', 'secrets.mjs']) await cp(join(PACKAGES, 'cli/bin', name), join(out, name))
}

/** The name under which the Temporal SDK keeps the native part of a platform. */
function temporalPlatform(): string {
  const arch = process.arch === 'x64' ? 'x86_64' : 'aarch64'
  const system = { linux: 'unknown-linux-gnu', darwin: 'apple-darwin', win32: 'pc-windows-msvc' }[process.platform as 'linux' | 'darwin' | 'win32']
  return `${arch}-${system}`
}

async function dropOtherPlatforms(folder: string, keep: (name: string) => boolean): Promise<void> {
  const names = await readdir(folder)
  if (!names.some(keep)) throw new Error(`${folder} holds nothing for this platform, only ${names.join(', ')}`)
  await Promise.all(names.filter((name) => !keep(name)).map((name) => rm(join(folder, name), { recursive: true })))
}

if (import.meta.main) await stageImage(resolve(process.argv[2] ?? 'dist/image'))
