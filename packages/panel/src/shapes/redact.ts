import { isJsonObject, type Json } from '@koco/core'

const SECRET_NAME = /pass(?:word|phrase)?$|secret|token$|api_?key|authorization|cookie|credential/i

const SECRET_TEXT = [
  /\b(?:Bearer|Basic)\s+[\w.~+/=-]{8,}/g,
  /\b(?:koco_|sk-|ghp_|gho_|xox[abp]-|AKIA|AIza)[\w-]{8,}/g,
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g,
]

/** What stands in the place of what was taken out. */
const REDACTED = '[redacted]'

/** A copy without what looks like a secret: values under names like `password` or `api_key`; keys, tokens and addresses of people within texts. A help, no proof: look before you share. */
export function redact(value: Json): Json {
  if (typeof value === 'string') return SECRET_TEXT.reduce((text, pattern) => text.replaceAll(pattern, REDACTED), value)
  if (Array.isArray(value)) return value.map((item) => redact(item as Json))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, SECRET_NAME.test(name) && !isCount(item) ? REDACTED : redact(item)]))
}

/** Counts (of tokens, say) and what is not there tell nothing. */
function isCount(value: Json): boolean {
  return value === null || typeof value === 'number' || typeof value === 'boolean'
}
