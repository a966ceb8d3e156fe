/** Any value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

// JSON.stringify writes a lone surrogate as \udXXX and NUL as \u0000; a proper pair is never escaped. `\\.` eats other escapes whole, so that the text "\\u0000" (a backslash, then letters) is left alone.
const ESCAPES = /\\(?:u0000|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)/g

/**
 * Serialises a value so that every store takes it: NUL and lone surrogates become U+FFFD, non-finite numbers null, bigints
 * decimal text, `undefined` null. Throws TypeError for cycles.
 */
export function toJsonText(value: unknown): string {
  const text = stringify(value)
  if (!text.includes('\\u0000') && !text.includes('\\ud')) return text
  return text.replace(ESCAPES, (escape) => (escape === '\\u0000' || escape.startsWith('\\ud') ? '\ufffd' : escape))
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null'
  } catch (error) {
    if (!(error instanceof TypeError) || !/BigInt/i.test(error.message)) throw error
    return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner)) ?? 'null'
  }
}

/** Parses JSON text into a `Json` value; throws SyntaxError. */
export function parseJson(text: string): Json {
  return JSON.parse(text) as Json
}

/** What a value is after one trip through JSON: the form in which journals and stores hand it back. */
export function toJson(value: unknown): Json {
  return parseJson(toJsonText(value))
}

/** JSON text with object keys in code-unit order: equal values give equal texts, so texts can be compared and hashed. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(value, (_key, inner: unknown) => (isJsonObject(inner) ? sortKeys(inner) : inner))
}

/** True for a plain JSON object: not null, not an array. */
export function isJsonObject(value: unknown): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sortKeys(value: { readonly [key: string]: Json }): { [key: string]: Json } {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
