import { fromJSONSchema, type ZodType } from 'zod'
import { isJsonObject, issueWords, type Json } from '../index.ts'

/** A fault of a form's data: where (names and indexes), in words for people, and the library's own code for it. */
export type FormFault = { readonly path: readonly (string | number)[]; readonly message: string; readonly code: string }

const TIMES: ReadonlySet<unknown> = new Set(['time', 'local-time'])

/** The format of a time of day without a zone, as people enter it; `time` of JSON Schema wants one. */
export const LOCAL_TIME = 'local-time'

/** Where a schema keeps the words of its author, by the code of the fault that they are for. JSON Schema has no place for them. */
export const AUTHOR_WORDS = 'x-errors'

type Issue = { readonly code: string; readonly path: readonly PropertyKey[]; readonly message: string; readonly errors?: unknown; readonly format?: unknown }

const READ_AT_ONCE = new WeakMap<object, ZodType | null>()
const DEPTH_MAX = 50
const TIME = '^(?:[01]\\d|2[0-3]):[0-5]\\d(?::[0-5]\\d(?:\\.\\d+)?)?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)?$'
/** Formats that the library checks by itself. */
const CHECKED_FORMATS: ReadonlySet<unknown> = new Set(['date', 'date-time', 'email', 'uuid', 'uri', 'duration', 'ipv4', 'ipv6'])

/**
 * What does not fit a form's JSON Schema: the same faults in browser and server, in the words that the flow's own schema would say. Undefined for a schema that the library cannot read: then only
 * the flow can judge. `root` has the definitions that a part of a schema refers to.
 */
export function formFaults(schema: Json, data: unknown, root: Json = schema): readonly FormFault[] | undefined {
  const compiled = readSchema(schema, root)
  if (!compiled) return undefined
  const result = compiled.safeParse(data, { error: issueWords })
  if (result.success) return []
  return (result.error.issues as readonly Issue[])
    .flatMap((issue) => faultsOf(issue, []))
    .map((fault) => ({ ...fault, message: authorWords(root, schema, fault) ?? fault.message }))
}

/** The schema as the library reads it, read once; undefined when it cannot. */
export function readSchema(schema: Json, root: Json): ZodType | undefined {
  if (!isJsonObject(schema)) return undefined
  const known = READ_AT_ONCE.get(schema)
  if (known !== undefined) return known ?? undefined
  const definitions = isJsonObject(root) ? { ...pick(root, '$defs'), ...pick(root, 'definitions') } : {}
  let made: ZodType | null
  try {
    made = fromJSONSchema({ ...definitions, ...(readable(schema, 0) as object) })
  } catch {
    // A word of JSON Schema that the library does not know.
    made = null
  }
  READ_AT_ONCE.set(schema, made)
  return made ?? undefined
}

function pick(schema: { readonly [key: string]: Json }, name: string): object {
  return isJsonObject(schema[name] ?? null) ? { [name]: schema[name] } : {}
}

/** A format that is checked needs no pattern beside it, which would say the same fault a second time; a time of day needs no zone. */
function readable(schema: Json, depth: number): Json {
  if (depth > DEPTH_MAX) return schema
  if (Array.isArray(schema)) return schema.map((item: Json) => readable(item, depth + 1))
  if (!isJsonObject(schema)) return schema
  const { format, pattern } = schema
  const inner = Object.entries(schema).map(([name, value]) => [name, readable(value, depth + 1)] as const)
  if (format === 'time') return { ...Object.fromEntries(inner), format: LOCAL_TIME, pattern: typeof pattern === 'string' ? pattern : TIME }
  return Object.fromEntries(typeof pattern === 'string' && CHECKED_FORMATS.has(format) ? inner.filter(([name]) => name !== 'pattern') : inner)
}

/** Of several choices, the faults of the one that was meant: the one whose constant property fits. */
function faultsOf(issue: Issue, above: readonly (string | number)[]): FormFault[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))]
  const own = {
    path,
    message: issue.code === 'custom' && issue.message.startsWith('Array items must be unique') ? 'Is in the list already' : issue.message,
    code: issue.code,
  }
  if (issue.code !== 'invalid_union' || !Array.isArray(issue.errors)) return [own]
  const choices = issue.errors as readonly (readonly Issue[])[]
  const tags = new Set(choices.map(tagOf))
  const [tag] = tags
  if (tags.size === 1 && tag !== undefined) return [{ ...own, path: [...path, tag] }]
  const meant = choices.filter((choice) => tagOf(choice) === undefined)
  return meant.length === 1 && choices.length > 1 && tags.size === 2 ? (meant[0] ?? []).flatMap((inner) => faultsOf(inner, path)) : [own]
}

/** The property by which a choice says that it was not meant. */
function tagOf(choice: readonly Issue[]): string | undefined {
  const issue = choice.find(({ code, path }) => code === 'invalid_value' && path.length === 1)
  const name = issue?.path[0]
  return typeof name === 'string' ? name : undefined
}

/** What the flow's author wrote for this fault, or what its format says of itself. */
function authorWords(root: Json, schema: Json, { path, code }: FormFault): string | undefined {
  const node = nodeAt(root, schema, path)
  if (!node) return undefined
  const words = node[AUTHOR_WORDS]
  const own = words !== undefined && isJsonObject(words) ? words[code] : undefined
  if (typeof own === 'string') return own
  return code === 'invalid_format' && TIMES.has(node['format']) ? issueWords({ code, input: '', format: 'time' }) : undefined
}

type Node = { readonly [key: string]: Json }

function nodeAt(root: Json, schema: Json, path: FormFault['path']): Node | undefined {
  let at: Json = schema
  for (const part of path) {
    if (!isJsonObject(at)) return undefined
    const node: Node = referred(root, at)
    const { properties = null, items = null } = node
    at = typeof part === 'number' ? items : isJsonObject(properties) ? (properties[part] ?? null) : null
  }
  return isJsonObject(at) ? referred(root, at) : undefined
}

function referred(root: Json, node: Node): Node {
  const { $ref } = node
  if (typeof $ref !== 'string' || !$ref.startsWith('#/')) return node
  let at: Json = root
  for (const part of $ref.slice(2).split('/')) at = isJsonObject(at) ? (at[part] ?? null) : null
  return isJsonObject(at) ? at : node
}
