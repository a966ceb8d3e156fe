import { Readable } from 'node:stream'
import { RefusedError } from '@koco/core'
import type { RunFiles } from '../context.ts'
import type { FileStore } from '../files/port.ts'
import { never, type Runtime } from './runtime.ts'

const BYTES_AT_ONCE_MAX = 256 * 1024 * 1024

/** `ctx.files`: the run's own files, whoever keeps them. A write says so by an `upload` event; written again by a repeated function, the event is not doubled. */
export function createFiles(runtime: Runtime): RunFiles {
  const { fid } = runtime.deps.run
  const stop = new AbortController()
  let atWork = 0
  // Most runs use no files: the error is made for those that are at it.
  runtime.onClose(() => stop.abort(atWork > 0 ? new RefusedError('The try of the run is over.', { code: 'try_over' }) : 'over'))

  // Counted as work, so that the try is not put aside meanwhile; nothing goes on once it is over.
  async function work<T>(act: (store: FileStore) => Promise<T>): Promise<T> {
    if (runtime.phase === 'closed') return never()
    const end = runtime.begin()
    atWork += 1
    try {
      return await act(storeOf(runtime))
    } catch (error) {
      if (stop.signal.aborted) return never()
      throw error
    } finally {
      atWork -= 1
      end()
    }
  }

  const files: RunFiles = {
    list: (side) => work((store) => store.list(fid, side)),
    read: (path) => work(async (store) => watched(runtime, (await store.open(fid, path)).content)),
    bytes: (path) => work((store) => readAll(store, fid, path)),
    text: (path) => work(async (store) => (await readAll(store, fid, path)).toString('utf8')),
    write: (path, content) =>
      work(async (store) => {
        const file = await store.write(fid, /^(in|out)\//.test(path) ? path : `out/${path}`, content, stop.signal)
        runtime.say('upload', { path: file.path, size: file.size, type: file.type })
        return file
      }),
  }
  return Object.freeze(files)
}

function storeOf(runtime: Runtime): FileStore {
  const { files } = runtime.deps
  if (files) return files
  throw new RefusedError(
    'Files are kept nowhere here: set KODO_UPLOAD_DIR, or for a worker on another host KODO_FILES=panel, KODO_APP_SERVER and KODO_API_KEY.',
    {
      code: 'no_files',
    },
  )
}

// Reading is a sign of life: without it a long read outside of steps could look like a flow that only waits.
function watched(runtime: Runtime, content: Readable): Readable {
  return Readable.from(
    (async function* read() {
      for await (const chunk of content) {
        runtime.activity.touch()
        yield chunk as Buffer
      }
    })(),
    { objectMode: false },
  )
}

async function readAll(store: FileStore, fid: string, path: string): Promise<Buffer> {
  const { file, content } = await store.open(fid, path)
  if (file.size > BYTES_AT_ONCE_MAX) {
    content.destroy()
    throw new RefusedError(`"${file.path}" has ${file.size} bytes, too many to read at once: take ctx.files.read and go through it.`, {
      code: 'file_too_large',
    })
  }
  const chunks: Buffer[] = []
  for await (const chunk of content) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
