import { isJsonObject, type Json } from '@koco/core'
import { z } from 'zod'

/** What a file field takes. */
export type FileFieldOptions = {
  /** Endings (`.csv`), media types (`text/csv`) or families (`image/*`); default: every file. */
  readonly accept?: readonly string[]
}

/** What a field of several files takes. */
export type FilesFieldOptions = FileFieldOptions & {
  readonly min?: number
  /** Default 100. */
  readonly max?: number
  /** People choose a folder; its files keep their paths in it. */
  readonly folder?: boolean
}

const FORMAT = 'file'

/** A field for one file. Who starts the run gives the id of an upload; the flow gets the path, `in/report.pdf`, for `ctx.files`. */
export function file({ accept }: FileFieldOptions = {}) {
  return z
    .string()
    .min(1)
    .meta({ format: FORMAT, ...(accept && { accept: [...accept] }) })
}

/** A field for several files, or for a folder. The flow gets their paths. */
export function files({ accept, min = 0, max = 100, folder = false }: FilesFieldOptions = {}) {
  const list = z
    .array(file(accept ? { accept } : {}))
    .min(min)
    .max(max)
  return folder ? list.meta({ folder: true }) : list
}

/** A value of inputs that stands for a file: where it is (a JSON pointer) and what its field takes. */
export type FileValue = { readonly pointer: string; readonly value: string; readonly accept: readonly string[] | null }

type Schema = { readonly [key: string]: Json }

const DEPTH_MAX = 50

/** The texts in `value` whose schema says that they are files, in order. Reads properties, items, references and alternatives. */
export function fileValues(schema: Json, value: Json): FileValue[] {
  const found = new Map<string, FileValue>()
  const root = isJsonObject(schema) ? schema : {}
  walk({ root, found }, root, value, '', 0)
  return [...found.values()]
}

/** The inputs with another value at a JSON pointer, as `fileValues` gives them. */
export function withValueAt(inputs: Json, pointer: string, value: Json): Json {
  return replaced(inputs, pointer.split('/').slice(1), value)
}

function replaced(at: Json, parts: readonly string[], value: Json): Json {
  const [part, ...rest] = parts
  if (part === undefined) return value
  const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
  if (Array.isArray(at)) return at.map((item, index) => (String(index) === name ? replaced(item, rest, value) : item))
  return isJsonObject(at) ? { ...at, [name]: replaced(at[name] ?? null, rest, value) } : at
}

type Walk = { readonly root: Schema; readonly found: Map<string, FileValue> }

function walk(at: Walk, schema: Json | undefined, value: Json, pointer: string, depth: number): void {
  if (!isJsonObject(schema) || depth > DEPTH_MAX) return
  if (schema['format'] === FORMAT && typeof value === 'string') {
    const { accept } = schema
    const takes = Array.isArray(accept) ? accept.filter((one) => typeof one === 'string') : null
    at.found.set(pointer, { pointer, value, accept: takes })
  }
  for (const inner of alternatives(at.root, schema)) walk(at, inner, value, pointer, depth + 1)
  if (Array.isArray(value)) value.forEach((item, index) => walk(at, itemSchema(schema, index), item, `${pointer}/${index}`, depth + 1))
  else if (isJsonObject(value)) {
    for (const [name, inner] of Object.entries(value)) {
      walk(at, propertySchema(schema, name), inner, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, depth + 1)
    }
  }
}

function alternatives(root: Schema, schema: Schema): Json[] {
  const lists = ['anyOf', 'oneOf', 'allOf'].flatMap((key) => (Array.isArray(schema[key]) ? (schema[key] as Json[]) : []))
  const { $ref } = schema
  return typeof $ref === 'string' ? [...lists, referred(root, $ref)] : lists
}

function referred(root: Schema, ref: string): Json {
  let at: Json = root
  for (const part of ref.replace(/^#\/?/, '').split('/').filter(Boolean)) {
    at = isJsonObject(at) ? (at[part.replaceAll('~1', '/').replaceAll('~0', '~')] ?? null) : null
  }
  return at
}

function itemSchema(schema: Schema, index: number): Json | undefined {
  const { prefixItems, items } = schema
  return Array.isArray(prefixItems) && index < prefixItems.length ? prefixItems[index] : items
}

function propertySchema(schema: Schema, name: string): Json | undefined {
  const { properties, additionalProperties } = schema
  return isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : additionalProperties
}
