import type { Page } from './page.ts'

/** An entry that could not be stored, set aside. `body` is what was found, as text. */
export type DeadEvent = {
  readonly id: number
  readonly fid: string
  readonly position: string
  readonly reason: string
  readonly body: string
  readonly at: number
}

/** The entries set aside; people look, retry and discard. */
export interface DeadEventStore {
  /** Idempotent by fid and position. */
  add(event: Omit<DeadEvent, 'id'>): Promise<void>
  list(query: { readonly fid?: string; readonly cursor?: string; readonly limit: number }): Promise<Page<DeadEvent>>
  get(id: number): Promise<DeadEvent | undefined>
  discard(id: number): Promise<boolean>
}
