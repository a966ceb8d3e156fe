import type { Json } from '@koco/core'

/** A flow as a worker serves it: what the catalogue shows without loading its code. `inputs` is a JSON Schema. */
export type FlowEntry = {
  readonly name: string
  readonly version: string | null
  readonly summary: string
  readonly description: string
  readonly tags: readonly string[]
  readonly author: string | null
  readonly inputs: Json
}

/** A process that serves flows; seen at its last heartbeat. */
export type FlowWorker = { readonly id: string; readonly launcher: string; readonly host: string; readonly pid: number; readonly seenAt: number }

/** A flow as the catalogue lists it, in the version that new runs begin on, with the workers that serve it in any version (live or not: compare `seenAt`). */
export type ListedFlow = FlowEntry & { readonly workers: readonly (FlowWorker & { readonly version: string | null })[] }

/** Which processes serve which flows. A flow stays listed after its last worker has gone: then it is cold. */
export interface FlowRegistry {
  /** Says that a worker lives and serves these flows; replaces what it said before. */
  heartbeat(worker: FlowWorker, flows: readonly FlowEntry[]): Promise<void>
  /** Takes a worker off the list at its orderly end. */
  leave(workerId: string): Promise<void>
  /** All flows ever served, by name. While several versions are served the one is current that was served for the first time last; a worker that beats changes nothing in that. */
  list(): Promise<readonly ListedFlow[]>
}
