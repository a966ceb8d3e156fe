import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findProgram } from './find.ts'
import { findOrInstall, installDebian } from './install.ts'
import { newFolder } from './process.ts'
import { redisProgram } from './redis-program.ts'
import { temporalProgram } from './temporal.ts'

/** The programs that people look at servers with, and the Debian package of each. */
const PACKAGES = { psql: 'postgresql-client', sqlite3: 'sqlite3', curl: 'curl' } as const

/** A throw-away folder for the PATH that has psql, sqlite3, curl, redis-cli and temporal, installed where this machine lacks them. */
export async function clientsFolder(): Promise<string> {
  const folder = newFolder('clients')
  mkdirSync(folder, { recursive: true })
  for (const [name, source] of Object.entries(PACKAGES)) {
    const remedy = `Tests of the guides need ${name}: put it on the PATH (Debian: apt-get install ${source}).`
    symlinkSync(
      await findOrInstall(
        () => findProgram([name]),
        () => installDebian([source]),
        remedy,
      ),
      join(folder, name),
    )
  }
  symlinkSync(await temporalProgram(), join(folder, 'temporal'))
  const { command, env } = await redisProgram()
  const cli = join(folder, 'redis-cli')
  writeFileSync(cli, `#!/bin/sh\nLD_LIBRARY_PATH="${env['LD_LIBRARY_PATH'] ?? ''}" exec "${join(dirname(command), 'redis-cli')}" "$@"\n`)
  chmodSync(cli, 0o755)
  return folder
}
