import type { FileHandle } from 'node:fs/promises'
import type { FileContent } from './port.ts'

/** Writes content to a file, has it on disk, and closes it; gives its size. `check` is told the size after each piece and may throw, and so does an aborted `signal`. */
export async function writeWhole(
  handle: FileHandle,
  content: FileContent,
  { check, signal }: { readonly check: (size: number) => void; readonly signal?: AbortSignal | undefined },
): Promise<number> {
  let size = 0
  try {
    for await (const chunk of chunksOf(content)) {
      signal?.throwIfAborted()
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      size += bytes.byteLength
      check(size)
      for (let done = 0; done < bytes.byteLength;) done += (await handle.write(bytes, done)).bytesWritten
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  return size
}

/** The pieces of what is written. */
export function chunksOf(content: FileContent): Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array> {
  return typeof content === 'string' || content instanceof Uint8Array ? [content] : content
}
