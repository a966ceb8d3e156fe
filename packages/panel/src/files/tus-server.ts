import { cleanPath } from '@koco/flow'
import { FileStore } from '@tus/file-store'
import { MemoryLocker, Server } from '@tus/server'
import { newUploadId, type UploadRecords } from './records.ts'

/** What the server of the protocol is made of. `onFinish` is called when an upload has become complete. */
export type TusServerOptions = {
  readonly dir: string
  readonly records: UploadRecords
  readonly bytesMax: number
  readonly clock: () => number
  readonly onFinish: (id: string) => void
}

/** The tus server over a folder. Who asks, and the id of an upload that begins, stand in headers of ours (see `webRequest`). */
export function createTusServer({ dir, records, bytesMax, clock, onFinish }: TusServerOptions): Server {
  const datastore = new FileStore({ directory: dir, configstore: records })
  // The size is said first, since room is kept for it; ages are looked after elsewhere, by one clock.
  datastore.extensions = ['creation', 'creation-with-upload', 'termination']
  return new Server({
    path: '/api/uploads',
    datastore,
    locker: new MemoryLocker(),
    relativeLocation: true,
    maxSize: bytesMax,
    allowedOrigins: () => false,
    namingFunction: (request) => request.headers.get('x-koco-upload') ?? newUploadId(),
    onUploadCreate: async (request, upload) => {
      upload.creation_date = new Date(clock()).toISOString()
      const { filename, relativePath, filetype } = upload.metadata ?? {}
      const owner = request.headers.get('x-koco-owner') ?? ''
      const inFolder = relativePath !== undefined && relativePath !== null && relativePath !== 'null' && relativePath !== ''
      const name = cleanPath((inFolder ? relativePath : filename) ?? 'file')
      return { metadata: { filename: name, ...(filetype && { filetype: filetype.slice(0, 100) }), owner } }
    },
    onUploadFinish: async (_request, { id }) => {
      onFinish(id)
      return {}
    },
  })
}
