import { isJsonObject, parseJson, RefusedError, toJsonText, type Json, type TypedValue } from '@koco/core'

const TYPES: ReadonlySet<unknown> = new Set(['markdown', 'html', 'text', 'json', 'error'])
const DEPTH_MAX = 100

/** A value as events carry it: a value of `ctx.markdown` and its kin as it is, a text as text, anything else as JSON. */
export function typedValue(value: unknown, what: string): TypedValue {
  if (typeof value === 'string') return { type: 'text', value }
  if (isTyped(value)) return value
  return { type: 'json', value: jsonOf(value, what) }
}

/** A value after its trip through JSON, as later tries will see it. RefusedError `not_json` names the place of what JSON cannot carry. */
export function jsonOf(value: unknown, what: string): Json {
  return parseJson(jsonText(value, what))
}

/** The JSON text of a value; RefusedError `not_json` as `jsonOf`. */
export function jsonText(value: unknown, what: string): string {
  const bad = findForeign(value, '', 0)
  if (bad !== undefined) refuse(what, bad)
  try {
    return toJsonText(value)
  } catch (error) {
    return refuse(what, error instanceof Error ? error.message : String(error))
  }
}

function isTyped(value: unknown): value is TypedValue {
  if (!isJsonObject(value)) return false
  const keys = Object.keys(value)
  return keys.length === 2 && 'value' in value && TYPES.has(value['type'])
}

// What JSON.stringify would drop or empty without a word: functions, symbols, maps, sets, promises.
function findForeign(value: unknown, path: string, depth: number): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return `${path || 'it'} is a ${typeof value}`
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return undefined
  if (depth >= DEPTH_MAX) return `${path.slice(0, 60)}… is nested deeper than ${DEPTH_MAX} levels`
  if (value instanceof Map || value instanceof Set || value instanceof Promise) return `${path || 'it'} is a ${value.constructor.name}`
  for (const [key, inner] of Object.entries(value)) {
    const bad = findForeign(inner, `${path}/${key}`, depth + 1)
    if (bad !== undefined) return bad
  }
  return undefined
}

function refuse(what: string, problem: string): never {
  throw new RefusedError(`${what} is not JSON: ${problem}. Return plain objects, arrays, texts, numbers, booleans or null.`, { code: 'not_json' })
}
