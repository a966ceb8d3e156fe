import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { assert } from '@koco/core'
import Database from 'better-sqlite3'

const NAME = /^[a-z][a-z0-9-]{0,62}$/

/** Takes the lock of this name under a data folder: a function that gives it back, or undefined when somebody else (another process, or another caller in this one) has it. It ends with the process. */
export function takeExclusive(dir: string, name: string): (() => void) | undefined {
  assert(NAME.test(name), `"${name}" is no name for a lock: a-z, 0-9 and dashes`)
  const folder = join(dir, 'locks')
  mkdirSync(folder, { recursive: true })
  const db = new Database(join(folder, `${name}.lock`), { timeout: 0 })
  try {
    db.exec('BEGIN EXCLUSIVE')
    return () => db.close()
  } catch (error) {
    db.close()
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) return undefined
    throw error
  }
}
