import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dataFolder } from '../settings/addresses.ts'
import type { Settings } from '../settings/schema.ts'

/** The key with which the secrets of sessions and API keys are hashed: `KODO_SECRET_KEY`, else one that is made once and kept in the data folder for its owner alone. */
export function secretKey(settings: Settings, cwd: string): string {
  if (settings.secretKey !== undefined) return settings.secretKey
  const folder = dataFolder(settings, cwd)
  const file = join(folder, 'secret.key')
  mkdirSync(folder, { recursive: true })
  try {
    writeFileSync(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8').trim()
}
