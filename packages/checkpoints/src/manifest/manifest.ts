import { canonicalJson, isJsonObject, parseJson, toJson, type Json } from '@koco/core'
import { sha256 } from '@koco/blobs'
import type { CheckpointOrigin } from '@koco/storage'
import type { SessionState } from '../port.ts'

/** A file of a checkpoint. `hash`: of its bytes; `stored`: how many bytes the content store keeps for them; `stamp`: what tells an unchanged file without reading it, null when nothing does. */
export type CheckpointFile = {
  readonly path: string
  readonly hash: string
  readonly size: number
  readonly stored: number
  readonly mode: number
  readonly stamp: string | null
}

/** What a checkpoint holds. `files` has the conversation too, below `.session/`. `skipped`: what lies in the workspace and was not taken, with the reason. */
export type Manifest = {
  readonly format: 1
  readonly id: string
  readonly revision: number
  readonly sessionId: string
  readonly user: string
  readonly createdAt: number
  readonly description: string
  readonly tags: readonly string[]
  readonly metadata: { readonly [key: string]: Json }
  readonly origin: CheckpointOrigin
  readonly parentId: string | null
  readonly mergedId: string | null
  readonly compressionLevel: number
  readonly incremental: boolean
  readonly conversation: { readonly position: number; readonly messages: number } | null
  readonly state: SessionState
  readonly files: readonly CheckpointFile[]
  readonly skipped: readonly { readonly path: string; readonly why: string }[]
}

/** The text of a manifest's file and blob: JSON with the sum of itself. */
export function manifestText(manifest: Manifest): string {
  const plain = toJson(manifest)
  return `${JSON.stringify({ ...(plain as object), checksum: sha256(canonicalJson(plain)) })}\n`
}

/** The manifest of a text; undefined when it is not one as `manifestText` wrote it. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    const parsed = parseJson(text)
    if (!isJsonObject(parsed)) return undefined
    const { checksum, ...manifest } = parsed
    if (manifest['format'] !== 1 || checksum !== sha256(canonicalJson(manifest))) return undefined
    return manifest as unknown as Manifest
  } catch {
    return undefined // Not even JSON: damage is what this is looking for.
  }
}
