export { createFolderBlobs, type FolderOptions } from './folder/folder.ts'
export { createS3Blobs, type S3Options } from './s3/s3.ts'
export { sha256 } from './store.ts'
export type { Blob, BlobContent, BlobStore, CompressionLevel, CrashPoint, Pin, Sweep } from './port.ts'
