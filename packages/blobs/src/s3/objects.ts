import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { must } from '@koco/core'
import { isChanged, isMissing } from './errors.ts'

/** An object in a listing, or as its head says. */
export type ObjectInfo = { readonly key: string; readonly size: number; readonly at: number; readonly tag: string }

/** Objects of this size go in parts. */
const PART_BYTES = 16 * 1024 * 1024
const PARTS_AT_ONCE = 3

/** The few calls of the protocol that blobs need, over one bucket. */
export class Objects {
  readonly #client: S3Client
  readonly #bucket: string

  constructor(client: S3Client, bucket: string) {
    this.#client = client
    this.#bucket = bucket
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    try {
      const found = await this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key }))
      return { key, size: found.ContentLength ?? 0, at: found.LastModified?.getTime() ?? 0, tag: found.ETag ?? '' }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  /** The bytes from `start` to `end` (inclusive; without it to the end), and how many the object has. */
  async get(key: string, start = 0, end?: number): Promise<{ readonly body: Readable; readonly size: number } | undefined> {
    try {
      const range = start === 0 && end === undefined ? {} : { Range: `bytes=${start}-${end ?? ''}` }
      const found = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key, ...range }))
      const size = Number(found.ContentRange?.split('/')[1] ?? found.ContentLength)
      return { body: must(found.Body, 'the body of an object') as Readable, size }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body, ContentLength: body.byteLength }))
  }

  /** Puts a file, a large one in parts; nothing is left of it when that fails. */
  async putFile(key: string, path: string): Promise<void> {
    const { size } = await stat(path)
    if (size > 2 * PART_BYTES) return await this.#putParts(key, path, size)
    await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: createReadStream(path), ContentLength: size }))
  }

  /** Deletes the object that has this tag, or whatever is there; false when it has another by now, or is gone. */
  async delete(key: string, tag?: string): Promise<boolean> {
    try {
      await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key, ...(tag !== undefined && { IfMatch: tag }) }))
      return true
    } catch (error) {
      if (isChanged(error) || isMissing(error)) return false
      throw error
    }
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    let token: string | undefined
    do {
      const page = await this.#client.send(new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: prefix, ContinuationToken: token }))
      for (const { Key: key, Size: size, LastModified: at, ETag: tag } of page.Contents ?? []) {
        if (key !== undefined) yield { key, size: size ?? 0, at: at?.getTime() ?? 0, tag: tag ?? '' }
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }

  async #putParts(key: string, path: string, size: number): Promise<void> {
    const at = { Bucket: this.#bucket, Key: key }
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(at))
    const count = Math.ceil(size / PART_BYTES)
    const tags = Array.from({ length: count }, () => '')
    const handle = await open(path)
    try {
      let next = 0
      const worker = async (): Promise<void> => {
        while (next < count) {
          const part = next++
          const length = Math.min(PART_BYTES, size - part * PART_BYTES)
          const { buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, part * PART_BYTES)
          const sent = await this.#client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: part + 1, Body: buffer, ContentLength: length }))
          tags[part] = must(sent.ETag, 'the tag of a part')
        }
      }
      await Promise.all(Array.from({ length: PARTS_AT_ONCE }, worker))
      const Parts = tags.map((ETag, part) => ({ ETag, PartNumber: part + 1 }))
      await this.#client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }))
    } catch (error) {
      await this.#client.send(new AbortMultipartUploadCommand({ ...at, UploadId })).catch(() => undefined)
      throw error
    } finally {
      await handle.close()
    }
  }
}
