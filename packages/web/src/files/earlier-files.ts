import { isJsonObject, type Json } from '@koco/core'

/** The inputs of an earlier run as another run can be given them: its files by their full address, `<fid>/in/…`, instead of the path that they had in it. */
export function withFilesOf(fid: string, schema: Json, inputs: Json): Json {
  if (!isJsonObject(schema)) return inputs
  if (typeof inputs === 'string') return schema['format'] === 'file' && inputs.startsWith('in/') ? `${fid}/${inputs}` : viaAlternatives(fid, schema, inputs)
  if (Array.isArray(inputs))
    return viaAlternatives(fid, schema, schema['items'] ? inputs.map((item) => withFilesOf(fid, schema['items'] ?? null, item)) : inputs)
  if (!isJsonObject(inputs)) return inputs
  const { properties } = schema
  const entries = Object.entries(inputs).map(
    ([name, value]) => [name, isJsonObject(properties) ? withFilesOf(fid, properties[name] ?? null, value) : value] as const,
  )
  return viaAlternatives(fid, schema, Object.fromEntries(entries))
}

function viaAlternatives(fid: string, schema: { readonly [key: string]: Json }, inputs: Json): Json {
  const all = ['anyOf', 'oneOf', 'allOf'].flatMap((key) => (Array.isArray(schema[key]) ? (schema[key] as readonly Json[]) : []))
  return all.reduce<Json>((value, one) => withFilesOf(fid, one, value), inputs)
}
