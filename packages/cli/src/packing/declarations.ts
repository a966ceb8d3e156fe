import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'

const ENTRIES = ['cli/src/index.d.ts', 'cli/src/testing.d.ts', 'cli/src/client.d.ts']
/**
 * The folders whose declarations the entries reach. All their files are given to the compiler by path: it writes none of a file that it finds as a package first, and with several threads that is
 * chance. The adapters are left out: no type of theirs is part of the API.
 */
const REACHED = ['core/src', 'transport/src', 'storage/src', 'blobs/src', 'flow/src']
const ADAPTERS = /\/storage\/src\/(sqlite|postgres)\/|\/transport\/src\/redis\/|\/contract\/|\.test\.ts$/
const IMPORT = /(from |import\()'([^']+)'/g

/** Writes the types of the API: the declarations of the entries and of all that they reach, the workspace's packages as relative paths. */
export async function writeTypes({ packages, out }: { readonly packages: string; readonly out: string }): Promise<void> {
  const emitted = await mkdtemp(join(tmpdir(), 'koco-types-'))
  try {
    await emitDeclarations(packages, emitted)
    const seen = new Set<string>()
    const queue = ENTRIES.map((entry) => join(emitted, entry))
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (seen.has(file)) continue
      seen.add(file)
      queue.push(...(await copyDeclaration(file, { packages, emitted, out })))
    }
    await Promise.all(ENTRIES.map((entry) => referToNode(join(out, entry))))
  } finally {
    await rm(emitted, { recursive: true, force: true })
  }
}

async function emitDeclarations(packages: string, outDir: string): Promise<void> {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const config = join(outDir, 'tsconfig.json')
  const compilerOptions = {
    composite: false,
    incremental: false,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    outDir,
    rootDir: packages,
    typeRoots: [join(packages, '../node_modules/@types')],
  }
  const sources = await Promise.all(REACHED.map((name) => sourcesOf(join(packages, name))))
  const files = [...ENTRIES.map((entry) => join(packages, entry.replace('.d.ts', '.ts'))), ...sources.flat()]
  await writeFile(config, JSON.stringify({ extends: join(packages, 'tsconfig.node.json'), compilerOptions, include: [], files }))
  try {
    await promisify(execFile)(process.execPath, [tsc, '-p', config])
  } catch (error) {
    throw new Error(`the types could not be written:\n${(error as { stdout?: string }).stdout ?? String(error)}`, { cause: error })
  }
}

/** The API speaks of Node's streams and buffers; an author's compiler may not load Node's types by itself. */
async function referToNode(file: string): Promise<void> {
  await writeFile(file, `/// <reference types="node" />\n${await readFile(file, 'utf8')}`)
}

type Places = { readonly packages: string; readonly emitted: string; readonly out: string }

/** Copies a declaration with its imports made relative; gives the declarations that it imports. */
async function copyDeclaration(file: string, places: Places): Promise<string[]> {
  const found: string[] = []
  const text = await readFile(file, 'utf8')
  const manifests = new Map<string, string>()
  for (const [, , id = ''] of text.matchAll(IMPORT)) if (id.startsWith('@koco/')) manifests.set(id, await entryOf(id, places.packages))
  const rewritten = text.replaceAll(IMPORT, (whole, before: string, id: string) => {
    const entry = manifests.get(id)
    if (entry === undefined && !id.startsWith('.')) return whole
    const target = entry === undefined ? resolve(dirname(file), id) : join(places.emitted, entry)
    const declaration = target.replace(/\.[tj]s$/, '.d.ts')
    if (!existsSync(declaration)) throw new Error(`${relative(places.emitted, file)} imports ${id}, which has no declarations`)
    found.push(declaration)
    const path = relative(dirname(file), target).replace(/\.ts$/, '.js')
    return `${before}'${path.startsWith('.') ? path : `./${path}`}'`
  })
  const copy = join(places.out, relative(places.emitted, file))
  await mkdir(dirname(copy), { recursive: true })
  await writeFile(copy, rewritten)
  return found
}

/** The source behind `@koco/<name>[/<sub-path>]`, as its package.json says, relative to the folder of packages. */
async function entryOf(id: string, packages: string): Promise<string> {
  const [, name = '', ...rest] = id.split('/')
  return join(name, (await exportsOf(name, packages))[['.', ...rest].join('/')] ?? '')
}

async function sourcesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.name.endsWith('.ts')).map((entry) => join(entry.parentPath, entry.name))
  return files.filter((file) => !ADAPTERS.test(file))
}

async function exportsOf(name: string, packages: string): Promise<Readonly<Record<string, string>>> {
  const { exports } = JSON.parse(await readFile(join(packages, name, 'package.json'), 'utf8')) as { exports: Record<string, string> }
  return exports
}
