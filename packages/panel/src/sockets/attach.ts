import type { ChatSession } from '@koco/storage'
import type { AttachmentDeps } from './attachment.ts'
import { Attachment } from './attachment.ts'
import { GoneError, type SocketConnection } from './connection.ts'
import { errorFrame } from './frames.ts'
import type { SessionPosition } from './session-position.ts'

const ATTACHMENTS_MAX = 32

/** What following needs besides: where a failure is told. */
export type AttachDeps = AttachmentDeps & { readonly log: { error(data: object, text: string): void } }

/** How a following began. `isReset`: the position that was given is not in the session any more, so what the client shows must be read anew. */
export type Attached = { readonly attachment: Attachment; readonly isReset: boolean; begin(): void }

/** Lets a connection follow a session, from a position or from now on; nothing is sent before `begin`. Undefined when it follows too many. One that follows it already goes on, unless a position is given. */
export async function attach(deps: AttachDeps, at: SocketConnection, session: ChatSession, from?: SessionPosition): Promise<Attached | undefined> {
  const known = at.attachments.get(session.id)
  if (known && !from) return { attachment: known, isReset: false, begin: () => undefined }
  if (!known && at.attachments.size >= ATTACHMENTS_MAX) return undefined
  known?.close()
  const attachment = new Attachment(deps, session.id, at)
  at.attachments.set(session.id, attachment)
  const found = await attachment.begin(session, from)
  const begin = (): void => {
    attachment
      .follow()
      .catch((error: unknown) => {
        if (error instanceof GoneError) return
        deps.log.error({ err: error, session: session.id }, 'a session could not be followed')
        at.send(errorFrame('internal', 'The session cannot be followed any more; attach again.', { session_id: session.id, position: attachment.position }))
      })
      .finally(() => {
        if (at.attachments.get(session.id) === attachment) at.attachments.delete(session.id)
      })
  }
  return { attachment, isReset: !found, begin }
}
