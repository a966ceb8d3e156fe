import { parseDatabaseUrl } from '@koco/storage'
import { z } from 'zod'

/** What a setting is besides its type: the variable (without `KODO_`), the line of help, and what else the forms need. */
export type SettingMeta = {
  readonly variable: string
  readonly help: string
  /** Command line flag, without dashes; the variable in kebab case unless given. */
  readonly flag?: string
  /** May be read from a file named by `<VARIABLE>_FILE`, and is never printed. */
  readonly secret?: true
  /** What stands in the table when there is no default value. */
  readonly none?: string
}

/** Words; not empty. */
export const text = z.string().trim().min(1)

/** A folder. */
export const folder = z.string().trim().min(1)

/** A whole number within bounds. */
export const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

/** A number of seconds, or of another unit, within bounds; a fraction may be. */
export const seconds = (min: number, max: number) => z.coerce.number().min(min).max(max)

/** An address with one of these protocols. */
export const url = (...protocols: string[]) =>
  text.refine((value) => protocols.some((protocol) => value.startsWith(`${protocol}://`)), `must start with ${protocols.map((p) => `${p}://`).join(' or ')}`)

/** The address of a database. */
export const database = text.superRefine((value, issues) => {
  try {
    parseDatabaseUrl(value)
  } catch (error) {
    issues.addIssue(error instanceof Error ? error.message : String(error))
  }
})

/** Where a server is found. */
export const address = url('http', 'https').refine(
  (value) => URL.canParse(value) && new URL(value).pathname === '/',
  'must be http://host:port, or https://host behind a proxy, without a path',
)

/** Where a server listens. */
export const listenAddress = text.regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, 'must be host:port, e.g. 0.0.0.0:3370')

/** An address on the web, without a slash at its end. */
export const webAddress = url('http', 'https')
  .refine(URL.canParse, 'must be a web address')
  .transform((value) => value.replace(/\/+$/, ''))

/** Items between commas. */
export const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)

/** What belongs to a setting besides its type, for `.meta()`. */
export function about(meta: SettingMeta): SettingMeta {
  return meta
}
