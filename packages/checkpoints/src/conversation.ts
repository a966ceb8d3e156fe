import { parseJson, toJsonText, type Json } from '@koco/core'
import type { BlobStore, CompressionLevel } from '@koco/blobs'
import type { BlobKeeper } from './blobs-under-way.ts'
import type { CheckpointFile, Manifest } from './manifest/manifest.ts'
import type { Message, SessionCopy } from './port.ts'
import { isSessionPath, SESSION_FOLDER } from './workspace/paths.ts'

/** So many messages a file: the files of a talk that grows stay as they are, but for the last. */
const MESSAGES_A_FILE = 100
const RECORD = `${SESSION_FOLDER}/record.json`

/** Keeps a conversation as files below `.session/`: a message a line, and the record beside them. Without messages there are none. Call it under a pin. */
export async function captureConversation(
  { messages, record }: Pick<SessionCopy, 'messages' | 'record'>,
  blobs: BlobKeeper,
  level: CompressionLevel,
): Promise<readonly CheckpointFile[]> {
  const files: CheckpointFile[] = []
  for (let from = 0; from < messages.length; from += MESSAGES_A_FILE) {
    const lines = messages.slice(from, from + MESSAGES_A_FILE).map((message) => `${toJsonText(message)}\n`)
    files.push(await keep(`${SESSION_FOLDER}/conversation-${String(from).padStart(8, '0')}.jsonl`, lines.join(''), blobs, level))
  }
  if (record !== null) files.push(await keep(RECORD, toJsonText(record), blobs, level))
  return files
}

/** The messages and the record that a checkpoint holds. RefusedError `unknown_blob`, PoisonError `blob_corrupt`. */
export async function readConversation(
  manifest: Pick<Manifest, 'files'>,
  blobs: BlobStore,
): Promise<{ readonly messages: readonly Message[]; readonly record: Json }> {
  const messages: Message[] = []
  let record: Json = null
  for (const { path, hash } of manifest.files.filter((file) => isSessionPath(file.path)).toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const text = (await blobs.read(hash)).toString()
    if (path === RECORD) record = parseJson(text)
    else
      messages.push(
        ...text
          .split('\n')
          .slice(0, -1)
          .map((line) => parseJson(line) as Message),
      )
  }
  return { messages, record }
}

async function keep(path: string, text: string, blobs: BlobKeeper, level: CompressionLevel): Promise<CheckpointFile> {
  const { hash, size, stored } = await blobs.put(Buffer.from(text), { level })
  return { path, hash, size, stored, mode: 0o600, stamp: null }
}
