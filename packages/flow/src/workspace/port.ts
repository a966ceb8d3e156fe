/** Whose workspace: a user's name, and a session's id of 12 hex digits. */
export type WorkspaceKey = { readonly user: string; readonly session: string }

/** A file of a workspace. `path` is names joined by `/`; `size` in bytes; `type` the media type that its name stands for; `modifiedAt` unix seconds. */
export type WorkspaceFile = { readonly path: string; readonly size: number; readonly type: string; readonly modifiedAt: number }

/** What a workspace holds, hidden files too. */
export type WorkspaceUse = { readonly files: number; readonly bytes: number }

/** What a workspace may hold. Sizes in bytes. */
export type WorkspaceLimits = {
  readonly fileBytesMax: number
  /** All files of a workspace together. */
  readonly bytesMax: number
  readonly filesMax: number
}

/** The usual limits: 10 MiB a file, 100 MiB and 10,000 files a workspace. */
export const defaultWorkspaceLimits: WorkspaceLimits = { fileBytesMax: 10 * 2 ** 20, bytesMax: 100 * 2 ** 20, filesMax: 10_000 }
