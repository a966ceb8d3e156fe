import type { SessionState } from '../port.ts'
import type { Selection } from '../workspace/patterns.ts'

/**
 * `newSessionId`: of the session that is made, else one that is free. `sessionOptions`: what its state gets besides, or instead of, what was copied. `include`, `exclude`: which files come back.
 * `restoreDir`: a folder for the files instead of the session's own. `skipMissingFiles`: go on without files whose blobs are gone or damaged. `inPlace`: put the session itself back instead of making a
 * new one; `by`: the user that the new session is for, default the copy's.
 */
export type RestoreOptions = Selection & {
  readonly newSessionId?: string | undefined
  readonly sessionOptions?: SessionState | undefined
  readonly restoreDir?: string | undefined
  readonly skipMissingFiles?: boolean | undefined
  readonly inPlace?: boolean | undefined
  readonly by?: string | undefined
}

/** `before`: the checkpoint of what was replaced in place. `missing`: files that could not come back. */
export type Restored = {
  readonly sessionId: string
  readonly workspace: string | null
  readonly files: number
  readonly missing: readonly string[]
  readonly before: string | null
}
