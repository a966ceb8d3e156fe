import { canonicalJson, isJsonObject, KocoError, RefusedError, toJson, UnavailableError, type Json } from '@koco/core'
import { readConversation } from '../conversation.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { mustFind, mustHaveSessions, mustReadSession, pinned, type Parts } from '../parts.ts'
import { hashWorkspace } from '../workspace/hash.ts'
import { isSessionPath } from '../workspace/paths.ts'
import { selector } from '../workspace/patterns.ts'
import { placeFiles, removeFiles } from '../workspace/place.ts'
import { presentFiles } from '../workspace/present.ts'
import { create } from './create.ts'
import type { Restored, RestoreOptions } from './restored.ts'

/** What is being put in place, so that whoever comes after a death can finish it: the checkpoint, the one of what it replaces, and how it was asked for. */
type Intent = { readonly checkpoint: string; readonly before: string; readonly options: RestoreOptions }

const WAIT_MS = 50
const WAITS_MAX = 600

/**
 * Puts a session back as a checkpoint has it. First a checkpoint of what it replaces is made, then the intent is stored; from there on it is finished, by this process or by `resumeRestores` after its death, or, when
 * it cannot be, everything is put back as it was. Called under a pin. RefusedError `session_busy`, `unknown_session`.
 */
export async function restoreInPlace(parts: Parts, manifest: Manifest, found: Pick<Restored, 'missing' | 'files'>, options: RestoreOptions): Promise<Restored> {
  mustHaveSessions(parts)
  const { sessionId } = manifest
  const giveBack = await waitForTurn(parts, sessionId)
  try {
    await finishOthers(parts, sessionId)
    const session = await mustReadSession(parts, sessionId)
    if (session.busy) throw busy(sessionId)
    const before = await create(parts, sessionId, {
      description: `Before restoring ${manifest.description === '' ? manifest.id : `“${manifest.description}”`}`,
      tags: ['before-restore'],
      incremental: true,
      origin: 'restore',
      needed: [manifest.id],
    })
    parts.crash('restore:before')
    const intent: Intent = { checkpoint: manifest.id, before: before.id, options }
    await parts.store.setTask({ kind: 'restore', session: sessionId, about: toJson(intent) })
    parts.crash('restore:intended')
    await finish(parts, sessionId, intent)
    return { sessionId, workspace: options.restoreDir ?? session.workspace, files: found.files, missing: found.missing, before: before.id }
  } finally {
    await giveBack()
  }
}

/** Finishes the restores in place that processes have left which died, but for those that somebody is at. Gives what could not be done; what can be tried again stays for the next call. */
export async function resumeRestores(parts: Parts): Promise<readonly { readonly session: string; readonly error: unknown }[]> {
  const problems: { session: string; error: unknown }[] = []
  if (parts.sessions === null) return problems
  for (const { session } of await parts.store.tasks('restore')) {
    const giveBack = await parts.exclusive(turnOf(session))
    if (!giveBack) continue
    try {
      await pinned(parts, () => finishOthers(parts, session))
    } catch (error) {
      problems.push({ session, error })
    } finally {
      await giveBack()
    }
  }
  return problems
}

/** What a process that died had begun for this session. A session that works again since cannot be put back: the checkpoint of before is there. */
async function finishOthers(parts: Parts, session: string): Promise<void> {
  const task = (await parts.store.tasks('restore')).find((one) => one.session === session)
  if (!task) return
  const intent = intentOf(task.about)
  const now = await parts.sessions?.read(session)
  if (!now || !intent) await parts.store.dropTask('restore', session)
  else if (!now.busy) await finish(parts, session, intent)
}

/** Puts the checkpoint in place, or when that cannot be, what was there before; the intent goes when one of them is. What may work later (UnavailableError) leaves it. */
async function finish(parts: Parts, session: string, { checkpoint, before, options }: Intent): Promise<void> {
  try {
    await putInPlace(parts, session, { id: checkpoint, from: before, options })
  } catch (error) {
    if (isPassing(error)) throw error
    const back = { id: before, from: before, options: options.restoreDir === undefined ? {} : { ...options, skipMissingFiles: true } }
    if (options.restoreDir === undefined) await putInPlace(parts, session, back).catch((other: unknown) => tellBoth(session, before, error, other))
    await parts.store.dropTask('restore', session)
    throw error
  }
  await parts.store.dropTask('restore', session)
  parts.crash('restore:done')
}

/** Makes files and conversation as a checkpoint has them, whatever part of that is done. `from`: the checkpoint that knows which files may go. */
async function putInPlace(parts: Parts, sessionId: string, { id, from, options }: { id: string; from: string; options: RestoreOptions }): Promise<void> {
  const sessions = mustHaveSessions(parts)
  const session = await mustReadSession(parts, sessionId)
  const manifest = await parts.manifests.read(await mustFind(parts, id))
  const { files, missing } = await presentFiles(manifest, parts.blobs, options)
  const workspace = options.restoreDir ?? session.workspace
  if (workspace !== null) {
    const selected = selector(options)
    const there = await hashWorkspace(workspace, (path) => selected(path))
    const kept = new Set([...files.map(({ path }) => path), ...missing])
    const replaced = options.restoreDir === undefined ? (await parts.manifests.read(await mustFind(parts, from))).files : []
    const gone = replaced.filter(({ path }) => !isSessionPath(path) && selected(path) && !kept.has(path))
    // First: a file may be where a folder was.
    await removeFiles(workspace, id === from ? [...there.keys()].filter((path) => !kept.has(path)) : gone.map(({ path }) => path), parts.crash)
    await placeFiles(workspace, files, parts.blobs, { there, crash: parts.crash })
    parts.crash('restore:files')
  }
  const { messages, record } = await readConversation(manifest, parts.blobs)
  // Putting back what was there: as long as the conversation was not touched nothing has to be said.
  if (id === from && canonicalJson(toJson([messages, manifest.state])) === canonicalJson(toJson([session.messages, session.state]))) return
  await sessions.replace(sessionId, { messages, record, state: { ...manifest.state, ...options.sessionOptions } })
  parts.crash('restore:conversation')
}

/** One process at a time puts something in the place of a session. UnavailableError `restore_busy`. */
async function waitForTurn({ exclusive }: Parts, session: string): Promise<() => Promise<void>> {
  for (let waits = 0; waits < WAITS_MAX; waits++) {
    const giveBack = await exclusive(turnOf(session))
    if (giveBack) return giveBack
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS))
  }
  throw new UnavailableError('Another session is being restored in place at this moment. Try again.', { code: 'restore_busy' })
}

/** A few names for all sessions: each leaves a file behind where locks are files. */
function turnOf(session: string): string {
  return `restore-${(session.codePointAt(0) ?? 0) % 16}`
}

function busy(session: string): RefusedError {
  return new RefusedError(`Session ${session} is at work. Wait for its turn to end or cancel it, or restore to a new session.`, { code: 'session_busy' })
}

/** The place may work again. */
function isPassing(error: unknown): boolean {
  return error instanceof UnavailableError || !(error instanceof KocoError)
}

function tellBoth(session: string, before: string, cause: unknown, other: unknown): never {
  const why = [cause, other].map((error) => (error instanceof Error ? error.message : String(error))).join(' ')
  throw new RefusedError(`Session ${session} could be put neither into the state that was wanted nor back: ${why} Checkpoint ${before} has what was there.`, {
    code: 'restore_failed',
    cause: other,
  })
}

function intentOf(about: Json): Intent | undefined {
  if (!isJsonObject(about)) return undefined
  const { checkpoint, before, options } = about
  if (typeof checkpoint !== 'string' || typeof before !== 'string' || !isJsonObject(options)) return undefined
  return { checkpoint, before, options }
}
