import { canonicalJson } from '@koco/core'
import { readConversation } from '../conversation.ts'
import type { CheckpointFile, Manifest } from '../manifest/manifest.ts'
import type { Parts } from '../parts.ts'
import type { Message } from '../port.ts'
import { hashWorkspace } from '../workspace/hash.ts'

/**
 * What a restore would change, against the session as it is now. `common`: messages that both have from the beginning. `steps`: what would run again; `locks`: questions that are open. `session` null:
 * it is not there any more, only a new one can be made.
 */
export type RestorePlan = {
  readonly sessionId: string | null
  readonly files: { readonly added: readonly string[]; readonly changed: readonly string[]; readonly removed: readonly string[]; readonly unchanged: number }
  readonly missing: readonly string[]
  readonly conversation: { readonly now: number; readonly copied: number; readonly common: number }
  readonly steps: readonly string[]
  readonly locks: readonly string[]
}

/** Compares a manifest's selected files and conversation with its session. */
export async function planRestore(
  parts: Parts,
  manifest: Manifest,
  what: {
    readonly files: readonly CheckpointFile[]
    readonly missing: readonly string[]
    readonly selected: (path: string) => boolean
    readonly inPlace: boolean
  },
): Promise<RestorePlan> {
  const session = await parts.sessions?.read(manifest.sessionId)
  const workspace = session?.workspace ?? null
  const now = workspace === null ? new Map<string, string>() : await hashWorkspace(workspace, what.selected)
  const then = new Map(what.files.map(({ path, hash }) => [path, hash]))
  const { messages } = await readConversation(manifest, parts.blobs)
  const common = commonLength(session?.messages ?? [], messages)
  const pending = session ? await parts.sessions?.pending(session.id, common) : undefined
  return {
    sessionId: session?.id ?? null,
    files: {
      added: [...then.keys()].filter((path) => !now.has(path)),
      changed: [...then].filter(([path, hash]) => now.has(path) && now.get(path) !== hash).map(([path]) => path),
      // A new session has only what the checkpoint has; the old one loses nothing.
      removed: what.inPlace ? [...now.keys()].filter((path) => !then.has(path) && !what.missing.includes(path)) : [],
      unchanged: [...then].filter(([path, hash]) => now.get(path) === hash).length,
    },
    missing: what.missing,
    conversation: { now: session?.messages.length ?? 0, copied: messages.length, common },
    steps: pending?.steps ?? [],
    locks: pending?.locks ?? [],
  }
}

/** How many messages two conversations have in common from their beginning. */
export function commonLength(a: readonly Message[], b: readonly Message[]): number {
  let i = 0
  while (i < a.length && i < b.length && canonicalJson(a[i] ?? null) === canonicalJson(b[i] ?? null)) i++
  return i
}
