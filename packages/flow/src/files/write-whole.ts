import type { FileHandle } from 'node:fs/promises'
import type { FileContent } from './port.ts'

/** What goes on while content is written: `check` is told the size after each piece and may throw, and so does an aborted `signal`. */
export type Watch = { readonly check: (size: number) => void; readonly signal?: AbortSignal | undefined }

/** Writes content to a file, has it on disk, and closes it; gives its size. */
export async function writeWhole(handle: FileHandle, content: FileContent, watch?: Watch): Promise<number> {
  let size = 0
  try {
    for await (const bytes of piecesOf(content, watch)) {
      size += bytes.byteLength
      for (let done = 0; done < bytes.byteLength;) done += (await handle.write(bytes, done)).bytesWritten
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  return size
}

/** The bytes of what is written, watched. */
export async function* piecesOf(content: FileContent, watch?: Watch): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of chunksOf(content)) {
    watch?.signal?.throwIfAborted()
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    size += bytes.byteLength
    watch?.check(size)
    yield bytes
  }
}

/** The pieces of what is written. */
export function chunksOf(content: FileContent): Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array> {
  return typeof content === 'string' || content instanceof Uint8Array ? [content] : content
}
