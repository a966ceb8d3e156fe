import type { ContentRef } from '@koco/core'

/** How long a note is: what is longer or shorter is none, so that only files of this length are looked into. */
export const NOTE_BYTES = 256

const FORM =
  /^koco keeps the content of this file in its content store \(785be4461825b4f8739ceb94f0de0e5c\): sha256 ([0-9a-f]{64}), (\d{1,15}) bytes, (\d{1,15}) stored\. *\n$/

/** What lies in the place of a large file and says where its content is. */
export function noteOf({ sha256, bytes, stored }: ContentRef): Buffer {
  const text = `koco keeps the content of this file in its content store (785be4461825b4f8739ceb94f0de0e5c): sha256 ${sha256}, ${bytes} bytes, ${stored} stored.`
  return Buffer.from(`${text.padEnd(NOTE_BYTES - 1)}\n`)
}

/** The content that a note names; undefined for what is no note. */
export function readNote(bytes: Uint8Array): ContentRef | undefined {
  const match = bytes.byteLength === NOTE_BYTES ? FORM.exec(Buffer.from(bytes).toString('latin1')) : null
  const [, sha256 = '', size, stored] = match ?? []
  return match ? { sha256, bytes: Number(size), stored: Number(stored) } : undefined
}
