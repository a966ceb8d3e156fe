import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { BUNDLE_FILE, buildWorkflowBundle } from '@koco/temporal/worker'
import { webPage } from '../compose/web-page.ts'
import { bundle } from './bundle.ts'
import { writeTypes } from './declarations.ts'

/** Where the checkout's packages are. */
const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url))
const CLI = join(PACKAGES, 'cli')

/**
 * Makes the package that people install: compiled code of the whole workspace, types, the web page, the command; npm's own packages stay
 * dependencies. Gives the path of the tgz in the folder `out`. Several processes may pack at once, each into a folder of its own.
 */
export async function pack(out: string): Promise<string> {
  const stage = await mkdtemp(join(tmpdir(), 'koco-pack-'))
  try {
    await fill(stage)
    await mkdir(out, { recursive: true })
    const { stdout } = await promisify(execFile)('npm', ['pack', '--json', '--pack-destination', out], { cwd: stage })
    const [made] = JSON.parse(stdout) as { filename: string }[]
    return join(out, made?.filename ?? '')
  } finally {
    await rm(stage, { recursive: true, force: true })
  }
}

/** Puts the package together in an empty folder. */
async function fill(stage: string): Promise<void> {
  await mkdir(join(stage, 'bin'))
  const web = await webPage((text) => void process.stderr.write(`${text}\n`))
  const packages = await bundle({ packages: PACKAGES, out: join(stage, 'dist') })
  await buildWorkflowBundle(join(stage, 'dist', BUNDLE_FILE), (level, message) => void (level === 'error' && process.stderr.write(`${message}\n`)))
  await writeTypes({ packages: PACKAGES, out: join(stage, 'dist/types') })
  await cp(web, join(stage, 'web'), { recursive: true })
  await cp(join(CLI, 'bin/koco.mjs'), join(stage, 'bin/koco.mjs'))
  await chmod(join(stage, 'bin/koco.mjs'), 0o755)
  await cp(join(CLI, 'README.md'), join(stage, 'README.md'))
  await writeFile(join(stage, 'package.json'), `${JSON.stringify(await manifest(packages), null, 2)}\n`)
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

if (import.meta.main) process.stdout.write(`${await pack(resolve(process.argv[2] ?? join(CLI, 'dist')))}\n`)
