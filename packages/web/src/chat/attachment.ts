import type { Json } from '@koco/core'

/** A file that goes along with a message: a picture as it is, anything else as text. */
export type Attached = { readonly name: string; readonly part: { readonly [field: string]: Json } }

/** One message takes at most so much, all files together; larger ones belong into the workspace. */
const BYTES_MAX = 4 * 1024 * 1024
const PICTURES = /^image\/(png|jpeg|gif|webp)$/

/** Reads files for a message. Throws with one sentence for one that is too large or holds no text. */
export async function attach(files: readonly File[]): Promise<Attached[]> {
  const size = files.reduce((sum, file) => sum + file.size, 0)
  if (size > BYTES_MAX)
    throw new Error(`These files have ${Math.ceil(size / 1024 / 1024)} MiB; a message takes 4 MiB. Put them into the workspace, or send less.`)
  return Promise.all(files.map(read))
}

async function read(file: File): Promise<Attached> {
  if (PICTURES.test(file.type)) return { name: file.name, part: { type: 'image_url', image_url: { url: await dataUrl(file) } } }
  const text = await file.text()
  if (text.includes('\0') || text.includes('\uFFFD')) throw new Error(`${file.name} is neither a picture nor text: a model cannot read it here.`)
  return { name: file.name, part: { type: 'text', text: `File ${file.name}:\n\n${text}` } }
}

async function dataUrl(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  let binary = ''
  for (const byte of bytes) binary += String.fromCodePoint(byte)
  return `data:${file.type};base64,${btoa(binary)}`
}

/** What is said: the text alone, or parts when files go along. */
export function messageOf(text: string, files: readonly Attached[]): Json {
  if (files.length === 0) return text
  return [...(text.trim() === '' ? [] : [{ type: 'text', text }]), ...files.map(({ part }) => part)]
}
