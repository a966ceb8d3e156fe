/** A file of a run. `path` begins with `in/` (given to it) or `out/` (made by it); `size` in bytes, `type` its media type by its name. */
export type RunFile = { readonly path: string; readonly size: number; readonly type: string; readonly modified_at: number }

/** An upload that a run may be given; inputs name it by its id. `offset`: the bytes that are here; `used`: a run has it; `expires_at`: each piece that arrives moves it on. */
export type Upload = {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly offset: number
  readonly complete: boolean
  readonly used: boolean
  readonly expires_at: number
}

/** The files of a session's workspace, hidden ones left out, and what it may hold. Sizes in bytes; `bytes` is all that it holds, hidden files too. */
export type Workspace = {
  readonly session_id: string
  readonly files: readonly RunFile[]
  readonly bytes: number
  readonly bytes_max: number
  /** What one file may have. */
  readonly file_bytes_max: number
}
