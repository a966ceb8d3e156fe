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
