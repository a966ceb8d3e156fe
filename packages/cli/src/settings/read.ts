import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { RefusedError } from '@koco/core'
import { checkCombinations } from './combinations.ts'
import { nearest } from './nearest.ts'
import { listSettings, type SettingInfo, type SettingKey, type Settings } from './schema.ts'

/** Variables that start like these belong to tests and to the examples. */
const FAMILIES = ['KODO_TEST_', 'KODO_LLM_']
const PREFIX = 'KODO_'

/** Where settings come from: flags win over the environment, the environment over `.env` in `cwd`. */
export type SettingSources = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly flags: Readonly<Partial<Record<SettingKey, string>>>
  readonly cwd: string
}

/** Parses and checks all settings. RefusedError `bad_settings` with one line for each thing that is wrong. */
export function readSettings(sources: SettingSources): Settings {
  const all = listSettings()
  const env = { ...readDotEnv(sources.cwd), ...withoutEmpty(sources.env) }
  const faults = unknownNames(env, all)
  const settings: Partial<Record<SettingKey, unknown>> = {}
  for (const setting of all) {
    const given = givenValue(setting, sources, env, faults)
    const parsed = setting.schema.safeParse(given?.value)
    if (parsed.success) settings[setting.key] = parsed.data
    else {
      const shown = setting.secret ? '' : ` "${given?.value}"`
      faults.push(`${given?.name ?? PREFIX + setting.variable}${shown}: ${parsed.error.issues[0]?.message ?? 'is not valid'} (${setting.help})`)
    }
  }
  if (faults.length === 0) faults.push(...checkCombinations(settings as Settings))
  if (faults.length > 0) throw new RefusedError(faults.join('\n'), { code: 'bad_settings', details: faults })
  return settings as Settings
}

/** True when a flag, the environment or `.env` gives this setting. */
export function isGiven(sources: SettingSources, key: SettingKey): boolean {
  const env = { ...readDotEnv(sources.cwd), ...withoutEmpty(sources.env) }
  return listSettings().some((setting) => setting.key === key && givenValue(setting, sources, env, []) !== undefined)
}

type Given = { readonly name: string; readonly value: string }

function givenValue(setting: SettingInfo, sources: SettingSources, env: Readonly<Record<string, string>>, faults: string[]): Given | undefined {
  const flag = sources.flags[setting.key]
  if (flag !== undefined) return { name: `--${setting.flag}`, value: flag }
  const name = PREFIX + setting.variable
  const value = env[name]
  const file = setting.secret ? env[`${name}_FILE`] : undefined
  if (value !== undefined && file !== undefined) faults.push(`${name} and ${name}_FILE are both set: keep one of them`)
  if (value !== undefined) return { name, value }
  if (file === undefined) return undefined
  try {
    return { name: `${name}_FILE`, value: readFileSync(resolve(sources.cwd, file), 'utf8').trim() }
  } catch (error) {
    faults.push(`${name}_FILE: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`)
    return undefined
  }
}

function unknownNames(env: Readonly<Record<string, string>>, all: readonly SettingInfo[]): string[] {
  const names = all.flatMap(({ variable, secret }) => (secret ? [PREFIX + variable, `${PREFIX}${variable}_FILE`] : [PREFIX + variable]))
  const known = new Set(names)
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.has(name) && !FAMILIES.some((family) => name.startsWith(family)))
    .map((name) => `${name} is no setting of koco; did you mean ${nearest(name, names)}?`)
}

function readDotEnv(cwd: string): Record<string, string> {
  const path = resolve(cwd, '.env')
  return existsSync(path) ? withoutEmpty(parseEnv(readFileSync(path, 'utf8'))) : {}
}

// An empty variable is one that is not set: compose files cannot leave one out.
function withoutEmpty(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''))
}
