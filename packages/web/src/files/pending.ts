import { isJsonObject, type Json } from '@koco/core'

/** Uploads of this tab that are under way, by id: each promise ends with the upload, or with why it does not go on. */
const pending = new Map<string, () => Promise<void>>()

/** Says that an upload is under way. */
export function notePending(id: string, done: () => Promise<void>): void {
  pending.set(id, done)
}

/** Says that an upload is over. */
export function forgetPending(id: string): void {
  pending.delete(id)
}

/** Resolves when every file that the inputs name has been sent, as far as this tab sends it: then the run can start. Rejects with the first that does not go on. */
export async function filesSent(inputs: Json): Promise<void> {
  if (pending.size === 0) return
  const waits = textsOf(inputs).flatMap((text) => pending.get(text) ?? [])
  await Promise.all(waits.map((wait) => wait()))
}

function textsOf(value: Json): string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsOf)
  return isJsonObject(value) ? Object.values(value).flatMap(textsOf) : []
}
