import type { Json } from '../json.ts'

/** A process that serves flows. `seen_at` is unix seconds; `live`: it was heard of lately. */
export type FlowWorker = {
  readonly id: string
  readonly launcher: string
  readonly host: string
  readonly pid: number
  readonly seen_at: number
  readonly live: boolean
}

/** A flow of the catalogue. `live`: somebody serves it now. `version`: the one that new runs begin on; workers may serve others, for runs that began on them. */
export type Flow = {
  readonly name: string
  readonly version: string | null
  readonly summary: string
  readonly description: string
  readonly tags: readonly string[]
  readonly author: string | null
  readonly live: boolean
  readonly workers: readonly (FlowWorker & { readonly version: string | null })[]
}

/** A flow with the JSON Schema of its inputs. */
export type FlowDetail = Flow & { readonly inputs: Json }
