import type { BlobStore } from '@koco/blobs'
import type { Contents } from './port.ts'
import { PinWindows } from './pin-windows.ts'

/** `shared`: every host that executes or shows runs sees the store. Otherwise nothing is put there, and only what it has is read. */
export type BlobContentsOptions = { readonly shared: boolean }

/** Contents in a content store. Closing them leaves the store open. */
export function createBlobContents(blobs: BlobStore, { shared }: BlobContentsOptions): Contents {
  const pins = new PinWindows(blobs)
  return {
    async keep(text) {
      if (!shared) return undefined
      const named = await pins.hold()
      try {
        const { hash: sha256, size: bytes, stored } = await blobs.put(Buffer.from(text))
        return { content: { sha256, bytes, stored }, named }
      } catch (error) {
        named()
        throw error
      }
    },
    read: async ({ sha256 }) => (await blobs.read(sha256)).toString(),
    close: () => pins.close(),
  }
}
