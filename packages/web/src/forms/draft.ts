import { canonicalJson, isJsonObject, type Json } from '@koco/core'

type Kept = { readonly data: Json; readonly sent?: { readonly text: string; readonly key: string } }

/**
 * What a person entered into a form, kept over errors and reloads until it is sent; secrets are never kept. `storage` is the tab's session storage:
 * two tabs do not write over each other.
 */
export class Draft {
  readonly #storage: Storage | undefined
  readonly #name: string
  readonly #secrets: ReadonlySet<string>

  constructor(storage: Storage | undefined, name: string, schema: Json) {
    this.#storage = storage
    this.#name = `koco-draft:${name}`
    this.#secrets = secretFields(schema)
  }

  load(): Json | undefined {
    return this.#read()?.data
  }

  save(data: Json): void {
    this.#write({ ...this.#read(), data: this.#withoutSecrets(data) })
  }

  /** The Idempotency-Key under which to send this data: the same for the same data until it arrived, so that a repeat never starts a second run. */
  keyFor(data: Json, newKey: () => string): string {
    const text = canonicalJson(this.#withoutSecrets(data))
    const sent = this.#read()?.sent
    if (sent?.text === text) return sent.key
    const key = newKey()
    this.#write({ data: this.#withoutSecrets(data), sent: { text, key } })
    return key
  }

  clear(): void {
    this.#attempt(() => this.#storage?.removeItem(this.#name))
  }

  #withoutSecrets(data: Json): Json {
    if (!isJsonObject(data) || this.#secrets.size === 0) return data
    return Object.fromEntries(Object.entries(data).filter(([name]) => !this.#secrets.has(name)))
  }

  #read(): Kept | undefined {
    const text = this.#attempt(() => this.#storage?.getItem(this.#name))
    try {
      const kept = text ? (JSON.parse(text) as unknown) : undefined
      return isJsonObject(kept) && 'data' in kept ? (kept as Kept) : undefined
    } catch {
      // Written by another version, or by hand: begin afresh.
      return undefined
    }
  }

  #write(kept: Kept): void {
    this.#attempt(() => this.#storage?.setItem(this.#name, JSON.stringify(kept)))
  }

  #attempt<T>(action: () => T): T | undefined {
    try {
      return action()
    } catch {
      // Storage is full or forbidden; the form works without being kept.
      return undefined
    }
  }
}

function secretFields(schema: Json): ReadonlySet<string> {
  const properties = isJsonObject(schema) ? schema['properties'] : undefined
  if (!isJsonObject(properties)) return new Set()
  return new Set(
    Object.entries(properties)
      .filter(([, field]) => isJsonObject(field) && (field['format'] === 'password' || field['writeOnly'] === true))
      .map(([name]) => name),
  )
}
