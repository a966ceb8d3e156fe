import type { DeadEvent } from '@koco/core/api'
import type { Page } from './page.ts'

/** What the API tells of an entry is all that there is of it. */
export type { DeadEvent }

/** The entries set aside; people look, retry and discard. */
export interface DeadEventStore {
  /** Idempotent by fid and position. */
  add(event: Omit<DeadEvent, 'id'>): Promise<void>
  list(query: { readonly fid?: string; readonly cursor?: string; readonly limit: number }): Promise<Page<DeadEvent>>
  get(id: number): Promise<DeadEvent | undefined>
  discard(id: number): Promise<boolean>
}
