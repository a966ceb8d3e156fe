import { chownSync, rmSync } from 'node:fs'
import { chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { createDatabase, type TestDatabase } from './database.ts'
import { postgresPrograms, unprivilegedUser, type PostgresUser } from './postgres-program.ts'
import { freePort, newFolder, ServerProcess, startOrStop, type RunningServer } from './process.ts'

/** A Postgres of one test's own. */
export type PostgresServer = RunningServer & {
  /** The address of its database `postgres`; its only user needs no password. */
  readonly url: string
  readonly port: number
  /** The folder of its data. */
  readonly data: string
  /** A database of its own, a copy of `template`; dropped by its `drop`. */
  createDatabase(template?: string): Promise<TestDatabase>
}

/**
 * Settings of postgresql.conf. Default: durable as in production; `{fsync: 'off'}` where only answers count. `standbyOf`: starts as a standby of this server, which streams to it until it is promoted
 * (`select pg_promote()`).
 */
export type PostgresOptions = { readonly config?: Readonly<Record<string, string>>; readonly standbyOf?: PostgresServer }

const DEFAULTS = { max_connections: '200', shared_buffers: '256MB', log_min_messages: 'warning', unix_socket_directories: '' }

/** Starts a Postgres on a free port of the loopback interface: the embedded one, else the machine's. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const user = unprivilegedUser()
  const folder = newFolder('postgres')
  if (user) chownSync(folder, user.uid, user.gid)
  const port = await freePort()
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`
  const bin = await postgresPrograms(folder, user).catch((error: unknown) => {
    rmSync(folder, { recursive: true })
    throw error
  })
  const primary = options.standbyOf
  const follows = primary ? { primary_conninfo: `host=127.0.0.1 port=${primary.port} user=postgres` } : {}
  const settings = { ...DEFAULTS, ...follows, ...options.config, port: String(port), listen_addresses: '127.0.0.1' }
  const data = join(folder, 'data')
  const args = ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  const command = join(bin, 'postgres')
  const wipe = async (): Promise<void> => {
    rmSync(data, { recursive: true })
    await initialise(bin, data, user)
  }
  const server = new ServerProcess({ name: 'Postgres', command, args, folder, user, answers: () => answers(url), withinMs: 60_000, wipe })
  await startOrStop(server, () => (primary ? copyPrimary(primary, data, user) : initialise(bin, data, user)))
  return Object.assign(server, { url, port, data, createDatabase: (template?: string) => createDatabase(url, template) })
}

async function initialise(bin: string, data: string, user: PostgresUser): Promise<void> {
  await mkdir(data, { mode: 0o700 })
  if (user) await chown(data, user.uid, user.gid)
  const args = ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions']
  await promisify(execFile)(join(bin, 'initdb'), args, { ...user, cwd: data })
}

/** A base backup, by the low-level API: the programs that make one are not among the embedded ones. */
async function copyPrimary(primary: PostgresServer, data: string, user: PostgresUser): Promise<void> {
  const client = new Client({ connectionString: primary.url })
  await client.connect()
  try {
    await client.query(`select pg_backup_start('standby', true)`)
    await promisify(execFile)('cp', ['-R', primary.data, data], { ...user, cwd: '/' })
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)')
    await rm(join(data, 'postmaster.pid'))
    for (const [name, text] of [
      ['backup_label', rows[0]?.labelfile ?? ''],
      ['standby.signal', ''],
    ] as const) {
      await writeFile(join(data, name), text)
      if (user) await chown(join(data, name), user.uid, user.gid)
    }
  } finally {
    await client.end()
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => undefined) // the server went away after the answer; the next question will say so
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } finally {
    await client.end()
  }
}
