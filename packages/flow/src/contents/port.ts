import type { Readable } from 'node:stream'
import type { BlobRange } from '@koco/blobs'
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

/** Where the content of large files of runs lies, by what it is: equal content once. A file names it by a note in its place. Throws UnavailableError when the place does not work now. */
export interface FileContents {
  /** False where nothing new may be put, because not every host sees the place. */
  readonly shared: boolean
  /** Keeps content; durable when it resolves. */
  keep(content: AsyncIterable<Uint8Array>): Promise<Kept>
  /** Takes content for one more name; undefined when it is not there any more. */
  again(content: ContentRef): Promise<Kept | undefined>
  /** The bytes, or a part of them. RefusedError `unknown_blob`, PoisonError `blob_corrupt`. */
  open(content: ContentRef, range?: BlobRange): Promise<Readable>
  /** Says for good that a folder names content here, before it does so for the first time; the folders that have said so. */
  announce(folder: string): Promise<void>
  folders(): Promise<readonly string[]>
  close(): Promise<void>
}
