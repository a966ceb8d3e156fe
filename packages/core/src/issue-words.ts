/** What a zod issue says of itself, as far as the words need it. */
type Issue = {
  readonly code?: string | undefined
  readonly input?: unknown
  readonly expected?: unknown
  readonly origin?: unknown
  readonly minimum?: unknown
  readonly maximum?: unknown
  readonly inclusive?: unknown
  readonly exact?: unknown
  readonly format?: unknown
  readonly prefix?: unknown
  readonly suffix?: unknown
  readonly includes?: unknown
  readonly divisor?: unknown
  readonly values?: unknown
  readonly keys?: unknown
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'Must be text',
  number: 'Must be a number',
  int: 'Must be a whole number',
  boolean: 'Must be yes or no',
  array: 'Must be a list',
  object: 'Must be an object',
  record: 'Must be an object',
  date: 'Must be a date',
  null: 'Must be empty',
  never: 'Not allowed here',
}

const FORMATS: Readonly<Record<string, string>> = {
  email: 'Not an email address',
  url: 'Not a web address',
  uri: 'Not a web address',
  uuid: 'Not a UUID',
  datetime: 'Not a date with time',
  date: 'Not a date',
  time: 'Not a time of day',
  duration: 'Not a duration',
  ipv4: 'Not an IPv4 address',
  ipv6: 'Not an IPv6 address',
  e164: 'Not a phone number with country code',
  json_string: 'Not JSON',
  safeint: 'Must be a whole number',
  regex: 'Has not the form that is asked for',
}

const SIZED: Readonly<Record<string, readonly [one: string, many: string]>> = {
  string: ['character', 'characters'],
  array: ['item', 'items'],
  set: ['item', 'items'],
  map: ['entry', 'entries'],
  file: ['byte', 'bytes'],
}

/**
 * What is wrong with a field, in words for people: "Required", "At least 2 characters". The one table, for browser and server; give it to zod as `error` of a parse, so that the words of a
 * schema's author win. Undefined for what it has no words for.
 */
export function issueWords(issue: Issue): string | undefined {
  if (issue.input === undefined && MISSING.has(issue.code ?? '')) return 'Required'
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[String(issue.expected)] ?? 'Has the wrong type'
    case 'too_small':
      return limitWords(issue, 'least', issue.minimum)
    case 'too_big':
      return limitWords(issue, 'most', issue.maximum)
    case 'invalid_format':
      return formatWords(issue)
    case 'invalid_value':
      return Array.isArray(issue.values) && issue.values.length === 1 ? `Must be ${named(issue.values[0])}` : `One of ${listed(issue.values)}`
    case 'not_multiple_of':
      return `Must be a multiple of ${String(issue.divisor)}`
    case 'unrecognized_keys':
      return `Has what is not known: ${listed(issue.keys)}`
    case 'invalid_union':
      return 'Fits none of the choices'
    case 'invalid_key':
    case 'invalid_element':
      return 'Holds something that does not fit'
    default:
      return undefined
  }
}

/** The kinds of issue by which zod may say that nothing was given. */
const MISSING: ReadonlySet<string> = new Set(['invalid_type', 'invalid_value', 'invalid_union'])

function limitWords({ origin, inclusive, exact, input }: Issue, which: 'least' | 'most', limit: unknown): string {
  const amount = String(limit)
  const unit = SIZED[String(origin)]
  if (unit) {
    if (which === 'least' && (input === '' || (Array.isArray(input) && input.length === 0)) && Number(limit) === 1) return 'Required'
    const counted = `${amount} ${unit[Number(limit) === 1 ? 0 : 1]}`
    return exact === true ? `Exactly ${counted}` : `At ${which} ${counted}`
  }
  if (origin === 'date') return which === 'least' ? `Not before ${amount}` : `Not after ${amount}`
  if (inclusive === false) return `${which === 'least' ? 'More' : 'Less'} than ${amount}`
  return `At ${which} ${amount}`
}

function formatWords({ format, prefix, suffix, includes }: Issue): string {
  if (format === 'starts_with') return `Must begin with ${named(prefix)}`
  if (format === 'ends_with') return `Must end with ${named(suffix)}`
  if (format === 'includes') return `Must hold ${named(includes)}`
  return FORMATS[String(format)] ?? `Not a valid ${String(format).replaceAll('_', ' ')}`
}

function listed(values: unknown): string {
  return Array.isArray(values) ? values.slice(0, 20).map(named).join(', ') : 'the choices'
}

function named(value: unknown): string {
  return typeof value === 'string' ? `“${value}”` : String(value)
}
