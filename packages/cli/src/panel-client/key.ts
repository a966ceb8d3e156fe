import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dataFolder } from '../settings/addresses.ts'
import type { Settings } from '../settings/schema.ts'

/** Where `koco start` keeps the key with which commands on this machine sign in. */
export function keyFile(settings: Settings, cwd: string): string {
  return join(dataFolder(settings, cwd), 'cli.key')
}

/** The key for the panel: `KODO_API_KEY` or `--api-key`, else the one that `start` keeps; undefined when there is neither. */
export function findKey(settings: Settings, cwd: string): string | undefined {
  if (settings.apiKey !== undefined) return settings.apiKey
  const file = keyFile(settings, cwd)
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
}

/** Keeps a key; only the file's owner can read it. */
export async function keepKey(file: string, key: string): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, `${key}\n`, { mode: 0o600 })
}
