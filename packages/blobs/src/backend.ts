import type { Readable } from 'node:stream'
import type { BlobRange } from './port.ts'

/** A stored blob as a listing shows it. `at`: when it was put or touched last, in ms since 1970; `tag`: which writing of it this is, where the place can tell. */
export type Entry = { readonly hash: string; readonly stored: number; readonly at: number; readonly tag: string | null }

/** A place that keeps stored blobs (header and body) under their hashes. Blobs appear whole. Throws UnavailableError `blobs_unavailable`. */
export interface Backend {
  /** How many bytes are stored, or undefined when the blob is not there. Makes it young; a blob that is being removed counts as not there, or is no longer removed. */
  touch(hash: string): Promise<number | undefined>
  /** The whole of a stored blob. */
  load(hash: string): Promise<Buffer | undefined>
  /** The first bytes of a stored blob, at least a header, and how many there are. */
  head(hash: string): Promise<{ readonly bytes: Uint8Array; readonly stored: number } | undefined>
  /** What follows the header, or a part of that, as a stream. */
  body(hash: string, range?: BlobRange): Promise<Readable | undefined>
  /** Stores a blob; durable when it resolves. */
  keep(hash: string, parts: readonly Uint8Array[]): Promise<void>
  /** Stores a file as a blob and takes the file away. */
  keepFile(hash: string, path: string): Promise<void>
  /** A new file's path for content whose hash is not known yet; its folder is there. */
  scratch(): Promise<string>
  /** Announces a pin, or that it lives; takes it away. */
  pin(name: string): Promise<void>
  unpin(name: string): Promise<void>
  /** The pins and when each was announced last, in ms since 1970. */
  pins(): Promise<readonly { readonly name: string; readonly at: number }[]>
  /** Keeps the name of a holder; durable when it resolves. Gives all of them. */
  announce(holder: string): Promise<void>
  holders(): Promise<readonly string[]>
  entries(): AsyncIterable<Entry>
  /** Removes a blob unless it became young since `cutoff`; false when it did, or is gone. */
  remove(entry: Entry, cutoff: number): Promise<boolean>
  /** Before a sweep: brings back what a sweep that died had taken; after it: removes what writers that died left before `cutoff`. */
  recover(): Promise<void>
  tidy(cutoff: number): Promise<void>
  close(): Promise<void>
}
