import type { Blob, BlobStore } from '@koco/blobs'
import type { ContentRef } from '@koco/core'
import type { BlobContentsOptions } from './blob-contents.ts'
import { PinWindows } from './pin-windows.ts'
import type { FileContents, Kept } from './port.ts'

/** The content of files in a content store. Closing it leaves the store open. */
export function createBlobFiles(blobs: BlobStore, { shared }: BlobContentsOptions): FileContents {
  const pins = new PinWindows(blobs)
  const pinned = async (find: () => Promise<ContentRef | undefined>): Promise<Kept | undefined> => {
    const named = await pins.hold()
    try {
      const content = await find()
      if (content) return { content, named }
    } catch (error) {
      named()
      throw error
    }
    named()
    return undefined
  }
  return {
    shared,
    keep: async (content) => (await pinned(async () => contentRef(await blobs.put(content)))) as Kept,
    again: (content) => pinned(async () => ((await blobs.touch([content.sha256])).length === 0 ? content : undefined)),
    open: ({ sha256 }, range) => blobs.open(sha256, range),
    announce: (folder) => blobs.announce(folder),
    folders: () => blobs.holders(),
    close: () => pins.close(),
  }
}

function contentRef({ hash: sha256, size: bytes, stored }: Blob): ContentRef {
  return { sha256, bytes, stored }
}
