import { createChunkCache } from './chunk-cache.ts'
import { RunTail, type TailDeps } from './run-tail.ts'

/** The run tails of this process: one for each run that somebody watches. */
export type Tails = {
  /** The tail of a run, made at its first viewer; the second part gives it back. */
  take(fid: string): { readonly tail: RunTail; readonly release: () => void }
  readonly size: number
  close(): void
}

const CACHE_BYTES = 32 * 1024 * 1024

/** Tails that share one cache of frames. */
export function createTails(deps: Omit<TailDeps, 'cache'>): Tails {
  const cache = createChunkCache(CACHE_BYTES)
  const tails = new Map<string, { readonly tail: RunTail; takers: number }>()
  return {
    take(fid) {
      const entry = tails.get(fid) ?? { tail: new RunTail(fid, { ...deps, cache }), takers: 0 }
      tails.set(fid, entry)
      entry.takers += 1
      return {
        tail: entry.tail,
        release() {
          entry.takers -= 1
          if (entry.takers > 0) return
          entry.tail.close()
          cache.forget(fid)
          tails.delete(fid)
        },
      }
    },
    get size() {
      return tails.size
    },
    close() {
      for (const { tail } of tails.values()) tail.close()
      tails.clear()
    },
  }
}
