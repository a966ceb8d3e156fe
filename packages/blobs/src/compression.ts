import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import type { Duplex } from 'node:stream'
import type { CompressionLevel } from './port.ts'
import type { Encoding } from './header.ts'

// Zstandard where the runtime has it; 6 is its own default, as 6 is gzip's.
const ZSTD_LEVELS = [0, 1, 1, 1, 2, 2, 3, 6, 9, 12]
const HAS_ZSTD = typeof zlib.zstdCompress === 'function'
/** Below this the round trip to another thread costs more than the work. */
const SYNC_BYTES_MAX = 32 * 1024
/** What a stream is judged by. */
const SAMPLE_BYTES = 256 * 1024

const pooled = HAS_ZSTD
  ? { zstd: promisify(zlib.zstdCompress), unzstd: promisify(zlib.zstdDecompress), gzip: promisify(zlib.gzip), gunzip: promisify(zlib.gunzip) }
  : { zstd: promisify(zlib.gzip), unzstd: promisify(zlib.gunzip), gzip: promisify(zlib.gzip), gunzip: promisify(zlib.gunzip) }

/** Compressed bytes, or the same bytes as they are when they do not shrink. */
export async function compress(bytes: Uint8Array, level: CompressionLevel): Promise<{ readonly encoding: Encoding; readonly body: Uint8Array }> {
  if (level === 0 || bytes.byteLength === 0 || !shrinks(bytes, level)) return { encoding: 'plain', body: bytes }
  const body = bytes.byteLength <= SYNC_BYTES_MAX ? compressNow(bytes, level) : await compressPooled(bytes, level)
  return body.byteLength < bytes.byteLength ? { encoding: codec(), body } : { encoding: 'plain', body: bytes }
}

/** The raw bytes again, at most `size` of them. Throws what zlib throws. */
export async function decompress(encoding: Encoding, body: Uint8Array, size: number): Promise<Uint8Array> {
  if (encoding === 'plain') return body
  const options = { maxOutputLength: Math.max(1, size) }
  if (body.byteLength <= SYNC_BYTES_MAX && size <= 8 * SYNC_BYTES_MAX) {
    return encoding === 'zstd' ? zlib.zstdDecompressSync(body, options) : zlib.gunzipSync(body, options)
  }
  return encoding === 'zstd' ? await pooled.unzstd(body, options) : await pooled.gunzip(body, options)
}

/** True when the beginning of content gets smaller: worth compressing. */
export function shrinks(bytes: Uint8Array, level: CompressionLevel): boolean {
  if (level === 0) return false
  if (bytes.byteLength <= SAMPLE_BYTES) return true
  // Three places: the head of many formats compresses although the rest does not.
  const middle = bytes.byteLength >> 1
  const sample = Buffer.concat([bytes.subarray(0, 16_384), bytes.subarray(middle, middle + 16_384), bytes.subarray(-16_384)])
  return compressNow(sample, 1).byteLength < sample.byteLength * 0.95
}

/** A stream that compresses, and what its output is. */
export function compressor(level: CompressionLevel): { readonly encoding: Encoding; readonly stream: Duplex } {
  const chunkSize = 256 * 1024
  const stream = HAS_ZSTD
    ? zlib.createZstdCompress({ chunkSize, params: { [zlib.constants.ZSTD_c_compressionLevel]: ZSTD_LEVELS[level] ?? 3 } })
    : zlib.createGzip({ chunkSize, level })
  return { encoding: codec(), stream }
}

/** A stream that undoes it. */
export function decompressor(encoding: 'zstd' | 'gzip'): Duplex {
  const chunkSize = 256 * 1024
  return encoding === 'zstd' ? zlib.createZstdDecompress({ chunkSize }) : zlib.createGunzip({ chunkSize })
}

function codec(): Encoding {
  return HAS_ZSTD ? 'zstd' : 'gzip'
}

function compressNow(bytes: Uint8Array, level: CompressionLevel): Uint8Array {
  return HAS_ZSTD ? zlib.zstdCompressSync(bytes, zstdOptions(level)) : zlib.gzipSync(bytes, { level })
}

async function compressPooled(bytes: Uint8Array, level: CompressionLevel): Promise<Uint8Array> {
  return HAS_ZSTD ? await pooled.zstd(bytes, zstdOptions(level)) : await pooled.gzip(bytes, { level })
}

function zstdOptions(level: CompressionLevel): zlib.ZstdOptions {
  return { params: { [zlib.constants.ZSTD_c_compressionLevel]: ZSTD_LEVELS[level] ?? 3 } }
}
