import type { Json, LockState } from '@koco/core'
import type { Role } from './users.ts'
import type { Page } from './page.ts'

/** Somebody's answer to a lock, kept from the moment it is accepted until the run has journaled it. */
export type LockAnswer = { readonly lid: string; readonly answer: Json; readonly by: string; readonly at: number; readonly reason?: string }

/** The questions of runs to people. */
export interface LockStore {
  get(fid: string, lid: string): Promise<LockState | undefined>
  /** `user`: the locks of this user's runs. `concerns`: of this user's runs, and those that name the user or the role. */
  list(query: {
    readonly fid?: string
    readonly user?: string
    readonly concerns?: { readonly user: string; readonly role: Role }
    readonly status?: LockState['status']
    readonly cursor?: string
    readonly limit: number
  }): Promise<Page<LockState & { readonly flow: string; readonly user: string; readonly summary: string }>>
  /** Accepts the first answer to an open lock; every later one is told whose was first. Whether it fits the form is the caller's to check. */
  answer(
    fid: string,
    answer: LockAnswer,
  ): Promise<{ readonly outcome: 'accepted' } | { readonly outcome: 'answered'; readonly by: string } | { readonly outcome: 'expired' | 'closed' | 'unknown' }>
  /** The accepted answers of a run, journaled or not. */
  answers(fid: string): Promise<readonly LockAnswer[]>
}
