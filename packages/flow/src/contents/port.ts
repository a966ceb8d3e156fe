import type { ContentRef } from '@koco/core'

/** Content that is kept. Call `named` when the event that names it is acknowledged: up to then no collection takes it away. */
export type Kept = { readonly content: ContentRef; named(): void }

/** Where large results of steps lie, by what they are: equal ones once. Throws UnavailableError when the place does not work now. */
export interface Contents {
  /** Keeps a text; durable when it resolves. Undefined where nothing new may be put, because not every host sees the place. */
  keep(text: string): Promise<Kept | undefined>
  /** The text again, verified. RefusedError `unknown_blob`, PoisonError `blob_corrupt`. */
  read(content: ContentRef): Promise<string>
  close(): Promise<void>
}
