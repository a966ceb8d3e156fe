import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { BUNDLE_FILE, buildWorkflowBundle } from '@koco/temporal/worker'
import { webPage } from '../compose/web-page.ts'
import { bundle } from './bundle.ts'
import { writeTypes } from './declarations.ts'

/** Where the checkout's packages are, and where the packed package is put together. */
const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url))
const CLI = join(PACKAGES, 'cli')
const STAGE = join(CLI, 'dist/package')

/**
 * Makes the package that people install: compiled code of the whole workspace, types, the web page, the command; npm's own packages stay
 * dependencies. Gives the path of the tgz.
 */
export async function pack(): Promise<string> {
  await rm(STAGE, { recursive: true, force: true })
  await mkdir(join(STAGE, 'bin'), { recursive: true })
  const web = await webPage((text) => void process.stderr.write(`${text}\n`))
  const packages = await bundle({ packages: PACKAGES, out: join(STAGE, 'dist') })
  await buildWorkflowBundle(join(STAGE, 'dist', BUNDLE_FILE), (level, message) => void (level === 'error' && process.stderr.write(`${message}\n`)))
  await writeTypes({ packages: PACKAGES, out: join(STAGE, 'dist/types') })
  await cp(web, join(STAGE, 'web'), { recursive: true })
  await cp(join(CLI, 'bin/koco.mjs'), join(STAGE, 'bin/koco.mjs'))
  await chmod(join(STAGE, 'bin/koco.mjs'), 0o755)
  await cp(join(CLI, 'README.md'), join(STAGE, 'README.md'))
  await writeFile(join(STAGE, 'package.json'), `${JSON.stringify(await manifest(packages), null, 2)}\n`)
  const { stdout } = await promisify(execFile)('npm', ['pack', '--json', '--pack-destination', join(CLI, 'dist')], { cwd: STAGE })
  const [made] = JSON.parse(stdout) as { filename: string }[]
  return join(CLI, 'dist', made?.filename ?? '')
}

type Manifest = {
  readonly [key: string]: unknown
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** The packed package.json: the cli's facts, and exactly those dependencies that the compiled code imports and Node's types, in the versions of the workspace. */
async function manifest(packages: readonly string[]): Promise<object> {
  const cli = await readManifest('cli')
  const known: Record<string, string> = {}
  for (const folder of ['core', 'transport', 'storage', 'blobs', 'spooler', 'flow', 'checkpoints', 'temporal', 'panel', 'cli'])
    Object.assign(known, (await readManifest(folder)).dependencies)
  const missing = packages.filter((name) => known[name] === undefined)
  if (missing.length > 0) throw new Error(`the compiled code imports ${missing.join(', ')}, which no package.json of the workspace names`)
  const { name, version, description, license, bin, engines } = cli
  const { devDependencies: tools } = await readManifest('..')
  return {
    name,
    version,
    description,
    license,
    bin,
    type: 'module',
    exports: {
      '.': { types: './dist/types/cli/src/index.d.ts', default: './dist/index.js' },
      './client': { types: './dist/types/cli/src/client.d.ts', default: './dist/client.js' },
      './testing': { types: './dist/types/cli/src/testing.d.ts', default: './dist/testing.js' },
    },
    files: ['bin', 'dist', 'web'],
    dependencies: { ...Object.fromEntries(packages.toSorted().map((dependency) => [dependency, known[dependency]])), '@types/node': tools?.['@types/node'] },
    engines,
  }
}

async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(PACKAGES, folder, 'package.json'), 'utf8')) as Manifest
}

if (import.meta.main) process.stdout.write(`${await pack()}\n`)
