import { readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RefusedError } from '@koco/core'
import { z } from 'zod'

/** Stands for the panel that the settings name; no profile has this name. */
export const LOCAL = 'local'

const Profile = z.object({ address: z.string(), user: z.string(), key: z.string().nullable(), keyId: z.string().nullable() })
const Profiles = z.object({ current: z.string(), profiles: z.record(z.string(), Profile) })

/** A panel and how to sign in there. `key` null: nobody has to; `keyId`: the key was made for this profile, and goes with it. */
export type Profile = Readonly<z.output<typeof Profile>>

/** What a person keeps: profiles by their names, and the one in use, or `LOCAL`. */
export type Profiles = { readonly current: string; readonly profiles: Readonly<Record<string, Profile>> }

/** Where a person's profiles are kept; null when the environment has no home. */
export function profilesFile(env: Readonly<Record<string, string | undefined>>): string | null {
  const home = env['HOME'] ?? env['USERPROFILE']
  const config = env['XDG_CONFIG_HOME'] ?? (home === undefined ? undefined : join(home, '.config'))
  return config === undefined || config === '' ? null : join(config, 'koco', 'profiles.json')
}

/** The profiles in a file; none when there is no file. RefusedError `bad_settings` when it holds something else. */
export function readProfiles(file: string | null): Profiles {
  try {
    return Profiles.parse(file === null ? NONE : JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NONE
    throw new RefusedError(`${file} cannot be read as profiles. Mend it, or delete it and say \`koco login\` again.`, { code: 'bad_settings', cause: error })
  }
}

/** Keeps profiles for their owner alone; whoever reads meanwhile has the old ones whole or the new ones. */
export async function writeProfiles(file: string | null, profiles: Profiles): Promise<void> {
  if (file === null) throw new RefusedError('There is no place for profiles: set HOME or XDG_CONFIG_HOME.', { code: 'bad_settings' })
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const part = `${file}.${process.pid}`
  await writeFile(part, `${JSON.stringify(profiles, null, 2)}\n`, { mode: 0o600 })
  await rename(part, file)
}

const NONE: Profiles = { current: LOCAL, profiles: {} }
