import { listSettings, type SettingKey, type Settings } from './schema.ts'

/** Settings as the `KODO_*` variables of another process; a change of null leaves one out. */
export function settingsEnv(settings: Settings, changes: Readonly<Partial<Record<SettingKey, string | null>>> = {}): Record<string, string> {
  const env: Record<string, string> = {}
  for (const { key, variable } of listSettings()) {
    const value = changes[key] === undefined ? settings[key] : changes[key]
    if (value !== undefined && value !== null) env[`KODO_${variable}`] = Array.isArray(value) ? value.join(',') : String(value)
  }
  return env
}
