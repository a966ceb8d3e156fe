import { z } from 'zod'
import type { SettingMeta } from './kinds.ts'
import { dataSettings } from './sections/data.ts'
import { eventsSettings } from './sections/events.ts'
import { executionSettings } from './sections/execution.ts'
import { keepingSettings } from './sections/keeping.ts'
import { listeningSettings } from './sections/listening.ts'
import { logSettings } from './sections/log.ts'
import { signInSettings } from './sections/sign-in.ts'
import { webhookSettings } from './sections/webhooks.ts'

/** Every setting of koco: parsing, defaults, flags, help lines and the table in the README come from here and nowhere else. */
export const settingsSchema = z.object({
  ...listeningSettings,
  ...dataSettings,
  ...signInSettings,
  ...eventsSettings,
  ...executionSettings,
  ...keepingSettings,
  ...webhookSettings,
  ...logSettings,
})

/** The settings of an installation, parsed; times and sizes in the units of their help lines. */
export type Settings = z.output<typeof settingsSchema>

/** A key of `Settings`. */
export type SettingKey = keyof Settings

/** One setting as forms show it. */
export type SettingInfo = SettingMeta & { readonly key: SettingKey; readonly flag: string; readonly default: string | undefined; readonly schema: z.ZodType }

/** All settings in the order of the schema. */
export function listSettings(): SettingInfo[] {
  return (Object.keys(settingsSchema.shape) as SettingKey[]).map((key) => {
    const schema: z.ZodType = settingsSchema.shape[key]
    const meta = schema.meta() as SettingMeta
    const found = schema.safeParse(undefined)
    const value = found.success ? found.data : undefined
    const fallback = typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
    return { ...meta, key, schema, flag: meta.flag ?? meta.variable.toLowerCase().replaceAll('_', '-'), default: fallback }
  })
}

/** The settings as the Markdown table of the README. */
export function settingsTable(): string {
  const rows = listSettings().map((setting) => {
    const fallback = setting.default === undefined ? (setting.none ?? '') : `\`${setting.default}\``
    const file = setting.secret ? ' Also `KODO_' + setting.variable + '_FILE`.' : ''
    return `| \`KODO_${setting.variable}\` | \`--${setting.flag}\` | ${fallback} | ${setting.help}.${file} |`
  })
  return ['| variable | flag | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')
}
