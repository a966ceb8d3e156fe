import { randomBytes } from 'node:crypto'
import { PoisonError } from '@koco/core'

/** How the bytes behind the header are kept. */
export type Encoding = 'plain' | 'zstd' | 'gzip'

/** The first bytes of every stored blob. */
export type Header = { readonly encoding: Encoding; readonly size: number }

/** How long a header is. */
export const HEADER_BYTES = 24

const MAGIC = Buffer.from('KOB1')
const ENCODINGS: readonly Encoding[] = ['plain', 'zstd', 'gzip']
const NONCE_BYTES = 8

/** Magic, encoding, raw size, and a nonce: two writes of equal content differ, so that a server can tell an object from its renewal. */
export function headerBytes({ encoding, size }: Header): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(bytes)
  bytes[4] = ENCODINGS.indexOf(encoding)
  bytes.writeBigUInt64BE(BigInt(size), 8)
  randomBytes(NONCE_BYTES).copy(bytes, HEADER_BYTES - NONCE_BYTES)
  return bytes
}

/** Reads a header; PoisonError `blob_corrupt` for anything else. */
export function parseHeader(hash: string, bytes: Uint8Array): Header {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, HEADER_BYTES))
  const encoding = ENCODINGS[view[4] ?? 255]
  if (view.byteLength < HEADER_BYTES || !view.subarray(0, 4).equals(MAGIC) || encoding === undefined) throw corrupt(hash, 'it does not begin as one')
  return { encoding, size: Number(view.readBigUInt64BE(8)) }
}

/** Says that what is stored is not what was put. */
export function corrupt(hash: string, why: string, cause?: unknown): PoisonError {
  return new PoisonError(`The blob ${hash} is damaged: ${why}. Restore the store from a backup, or create the checkpoint again.`, {
    code: 'blob_corrupt',
    cause,
  })
}
