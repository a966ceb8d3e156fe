import type { Chunk } from './frames.ts'

/** Chunks that were sent lately, by run and cursor, so that readers of one run share one Buffer. A chunk with events stays true for ever. */
export type ChunkCache = {
  get(fid: string, after: string): Chunk | undefined
  put(fid: string, after: string, chunk: Chunk): void
  /** Drops what is kept of a run: its history has changed or nobody reads it. */
  forget(fid: string): void
}

/** A cache that holds at most `bytesMax` of frames over all runs; the oldest go first. */
export function createChunkCache(bytesMax: number): ChunkCache {
  const chunks = new Map<string, Chunk>()
  let bytes = 0
  const drop = (key: string): void => {
    bytes -= chunks.get(key)?.frames.length ?? 0
    chunks.delete(key)
  }
  return {
    get: (fid, after) => chunks.get(`${fid} ${after}`),
    put(fid, after, chunk) {
      const key = `${fid} ${after}`
      drop(key)
      chunks.set(key, chunk)
      bytes += chunk.frames.length
      for (const oldest of chunks.keys()) {
        if (bytes <= bytesMax) break
        drop(oldest)
      }
    },
    forget(fid) {
      for (const key of chunks.keys()) if (key.startsWith(fid)) drop(key)
    },
  }
}
