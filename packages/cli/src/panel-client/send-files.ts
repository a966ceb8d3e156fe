import { open, type FileHandle } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UnavailableError, type Json } from '@koco/core'
import { fileValues, withValueAt } from '@koco/flow'
import { usageError } from '../output/exit.ts'
import type { ApiClient } from './api-client.ts'

const PIECE_BYTES = 8 * 1024 * 1024
/** A piece that does not arrive is tried again so often, a second apart. */
const TRIES_MAX = 30
const RETRY_MS = 1000
const TUS = { 'tus-resumable': '1.0.0' }

/**
 * Sends the files that inputs name as `@path` (of the folder `cwd`) and puts their uploads in the place; only where the schema wants a file. A usage error names a file that cannot be read.
 */
export async function sendFiles(client: ApiClient, cwd: string, schema: Json, inputs: Json): Promise<Json> {
  let ready = inputs
  const sent = new Map<string, string>()
  for (const { pointer, value } of fileValues(schema, inputs)) {
    if (!value.startsWith('@')) continue
    const id = sent.get(value) ?? (await sendFile(client, resolve(cwd, value.slice(1))))
    sent.set(value, id)
    ready = withValueAt(ready, pointer, id)
  }
  return ready
}

async function sendFile(client: ApiClient, path: string): Promise<string> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw usageError(`The file ${path} cannot be read (${error.code ?? error.message}).`)
  })
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw usageError(`${path} is no file.`)
    const metadata = `filename ${Buffer.from(basename(path)).toString('base64')}`
    const begun = await client.exchange('POST', '/api/uploads', { ...TUS, 'upload-length': String(stats.size), 'upload-metadata': metadata })
    const address = begun.headers.get('location') ?? ''
    for (let offset = 0; offset < stats.size;) offset = await sendPiece(client, address, handle, offset)
    return address.slice(address.lastIndexOf('/') + 1)
  } finally {
    await handle.close()
  }
}

/** Sends the next bytes; gives where to go on. After a cut the panel says how much of them has arrived. */
async function sendPiece(client: ApiClient, address: string, handle: FileHandle, offset: number): Promise<number> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(PIECE_BYTES), 0, PIECE_BYTES, offset)
  if (bytesRead === 0) throw usageError('The file became shorter while it was sent; start again.')
  const headers = { ...TUS, 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset) }
  for (let tries = 1; ; tries += 1) {
    try {
      const answer = await client.exchange(
        tries === 1 ? 'PATCH' : 'HEAD',
        address,
        tries === 1 ? headers : TUS,
        ...(tries === 1 ? [buffer.subarray(0, bytesRead)] : []),
      )
      return Number(answer.headers.get('upload-offset'))
    } catch (error) {
      if (!(error instanceof UnavailableError) || tries >= TRIES_MAX) throw error
      await sleep(RETRY_MS)
    }
  }
}
