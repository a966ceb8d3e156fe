import type { ContentRef } from '@koco/core'

/** `named`: how many events name content; `bytes`: what they name together, equal content each time it is named; `distinct`: how many contents that are; `stored`: what the content store took for them, each once. */
export type ContentTotals = { readonly named: number; readonly bytes: number; readonly distinct: number; readonly stored: number }

/** What the events of runs name in the content store. Written with the events that name it, and gone with their run: what is left of runs whose events are not stored counts for nothing. */
export interface ContentIndex {
  /** The content of this hash, if an event of this run names it. */
  get(fid: string, sha256: string): Promise<ContentRef | undefined>
  /** The hashes that are named, each once, those behind `after` in their order. */
  hashes(after: string, limit: number): Promise<readonly string[]>
  totals(): Promise<ContentTotals>
}
