import type { Readable } from 'node:stream'

/** Bytes, or pieces of them as they come. */
export type BlobContent = Uint8Array | AsyncIterable<Uint8Array>

/** A blob: the SHA-256 of its raw bytes (64 hex digits), how many there are, and how many the store keeps for them. */
export type Blob = { readonly hash: string; readonly size: number; readonly stored: number }

/** A blob on its way into the store. Nobody has to wait for `durable`: its failure goes to whoever does. */
export type BegunBlob = Blob & { readonly created: boolean; readonly durable: Promise<void> }

/** A part of a blob, both ends included. */
export type BlobRange = { readonly start: number; readonly end: number }

/** How hard to compress: 0 not at all, 1 fast, 6 the balance, 9 small. What does not shrink is kept plainly whatever this says. */
export type CompressionLevel = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9

/** Protects what was put or touched since it was taken, however long that takes, from every sweep. Ends with `release`, or some minutes after its process. */
export type Pin = { release(): Promise<void> }

/** What a sweep did. `removed` blobs, `bytes` that they took, `kept` blobs that stay. */
export type Sweep = { readonly removed: number; readonly bytes: number; readonly kept: number }

/**
 * Bytes kept once under their SHA-256, shared by every process and host that opens the same place. Whatever a writer dies at, a blob is there whole or not at all.
 * All methods: UnavailableError `blobs_unavailable` when the place does not work now, nothing is lost then.
 */
export interface BlobStore {
  /** Keeps content; durable when it resolves. Equal content is kept once: `created` is false when it was there. */
  put(content: BlobContent, options?: { readonly level?: CompressionLevel }): Promise<Blob & { readonly created: boolean }>
  /** As `put`, but resolves when it is known what the blob is; it is durable when `durable` resolves. For who has more to write meanwhile. */
  begin(content: BlobContent, options?: { readonly level?: CompressionLevel }): Promise<BegunBlob>
  /** The bytes of a blob, verified. RefusedError `unknown_blob`, PoisonError `blob_corrupt`. */
  read(hash: string): Promise<Buffer>
  /**
   * The bytes as a stream, verified before its end: it fails with PoisonError `blob_corrupt` instead of ending. RefusedError `unknown_blob`. A `range` of a large blob is read without the rest where that can
   * be, and is then not verified.
   */
  open(hash: string, range?: BlobRange): Promise<Readable>
  /** What is known of a blob without reading it; undefined when it is not there. */
  stat(hash: string): Promise<Blob | undefined>
  /** Makes blobs young, as a put would; gives those that are not there. */
  touch(hashes: readonly string[]): Promise<string[]>
  /** Takes a pin. Whoever puts or touches blobs and names them elsewhere later holds one from before the first put until they are named. */
  pin(): Promise<Pin>
  /** Says for good that there is a place which names blobs of this store, such as a folder of notes. A place says so before it names its first; whoever marks looks whether it knows all of them. */
  announce(holder: string): Promise<void>
  /** The places that were announced. */
  holders(): Promise<readonly string[]>
  /**
   * Removes the blobs that `mark` does not name and that nobody put or touched within `graceMs` (default an hour) or under a pin; leftovers of dead writers too. `mark` is called once, after the pins
   * were read, and must give every hash that is named then.
   */
  sweep(mark: () => Promise<ReadonlySet<string>>, options?: { readonly graceMs?: number }): Promise<Sweep>
  close(): Promise<void>
}

/** For crash tests: called at named points between the steps of a write; kills the process, or does nothing. */
export type CrashPoint = (point: string) => void
