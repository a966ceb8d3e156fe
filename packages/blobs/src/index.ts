export { FolderSyncs } from './folder/folder-syncs.ts'
export { createFolderBlobs, type FolderOptions } from './folder/folder.ts'
export { sha256 } from './store.ts'
export type { BegunBlob, Blob, BlobContent, BlobRange, BlobStore, CompressionLevel, CrashPoint, Pin, Sweep } from './port.ts'
