import type { Json } from '@koco/core'
import { problemOf, unreachable } from './problem.ts'

/** What a request carries besides its path. `key` becomes the Idempotency-Key. */
export type RequestOptions = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly body?: unknown
  /** Sent as it is, as `type`, in the place of a JSON body. */
  readonly bytes?: Blob
  readonly type?: string
  readonly key?: string
  readonly signal?: AbortSignal
}

/** Calls the API and gives its JSON answer (null for an empty one). Throws ApiProblem for everything that is no success, AbortError when aborted. */
export async function api<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, options)
  const text = await response.text()
  const body = parse(text)
  if (!response.ok) throw problemOf(response.status, body, response.headers.get('retry-after'))
  return (body ?? null) as T
}

/** A query string of the parameters that have a value, with its `?`; empty for none. Lists repeat their name. */
export function queryOf(parameters: Readonly<Record<string, string | number | readonly string[] | undefined>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === '') continue
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one))
  }
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

async function send(path: string, { method = 'GET', body, bytes, type, key, signal }: RequestOptions): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json, application/problem+json' }
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (type !== undefined) headers['content-type'] = type
  if (key !== undefined) headers['idempotency-key'] = key
  const init: RequestInit = { method, headers, credentials: 'same-origin' }
  if (body !== undefined) init.body = JSON.stringify(body)
  if (bytes !== undefined) init.body = bytes
  if (signal) init.signal = signal
  try {
    return await fetch(path, init)
  } catch (error) {
    if (signal?.aborted) throw error
    throw unreachable(error)
  }
}

function parse(text: string): Json | undefined {
  if (text === '') return undefined
  try {
    return JSON.parse(text) as Json
  } catch {
    // A proxy's HTML page, say: the status speaks for it.
    return undefined
  }
}
