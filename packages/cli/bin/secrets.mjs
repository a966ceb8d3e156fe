// Makes the secrets of a set of containers in the folder that is named: files that are there stay as they are. Prints the operator's password.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2] ?? '/run/koco'
mkdirSync(folder, { recursive: true })

/** Gives the file's text, made by `make` when there is none yet. */
function secret(name, make) {
  const file = join(folder, name)
  // Each container runs as a user of its own and only mounts what it needs to read.
  if (!existsSync(file)) writeFileSync(file, make(), { mode: 0o444 })
  return readFileSync(file, 'utf8')
}

const password = secret('postgres_password', () => randomBytes(24).toString('hex'))
secret('database_url', () => `postgresql://koco:${password}@postgres:5432/koco`)
secret('secret_key', () => randomBytes(32).toString('hex'))
process.stdout.write(`The operator is admin, password ${secret('admin_password', () => randomBytes(12).toString('base64url'))}\n`)
