import { isJsonObject, type Json } from '@koco/core'
import type { Lock } from '@koco/core/api'

/** Where commands look when nobody says where. */
const STANDARD_ADDRESS = 'http://localhost:3370'
const FIELDS_SHOWN = 6

/** The command that answers a question, with an example for each field that its form asks for; to be typed in another terminal, at this panel. */
export function howToAnswer(
  { fid, lid, form }: Pick<Lock, 'fid' | 'lid' | 'form'>,
  panel: { readonly address: string; readonly profile: string | null },
): string {
  const properties = isJsonObject(form) && isJsonObject(form['properties']) ? Object.entries(form['properties']) : []
  const fields = properties.slice(0, FIELDS_SHOWN).map(([name, schema]) => `--input ${word(`${name}=${exampleOf(schema)}`)}`)
  const answer = fields.length > 0 ? fields.join(' ') : '--value true'
  return `koco locks answer ${fid} ${lid} ${answer}${where(panel)}`
}

function where({ address, profile }: { readonly address: string; readonly profile: string | null }): string {
  if (profile !== null) return ` --profile ${profile}`
  return address === STANDARD_ADDRESS ? '' : ` --address ${address}`
}

function exampleOf(schema: Json): string {
  if (!isJsonObject(schema)) return '…'
  const { default: standard, enum: choices, type, minimum } = schema
  const known = standard ?? (Array.isArray(choices) ? choices[0] : undefined)
  if (known !== undefined && known !== null) return typeof known === 'string' ? known : JSON.stringify(known)
  if (type === 'boolean') return 'true'
  if (type === 'number' || type === 'integer') return String(typeof minimum === 'number' ? minimum : 1)
  if (type === 'array') return '[]'
  return type === 'object' ? '{}' : '…'
}

/** As a shell takes it. What an agent's form says must not run anything there. */
function word(text: string): string {
  return /^[\w=.,:/@%+-]+$/.test(text) ? text : `'${text.replaceAll(/\p{Cc}/gu, '').replaceAll("'", String.raw`'\''`)}'`
}
