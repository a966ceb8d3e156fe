import { RefusedError } from '@koco/core'
import { textOfContent, type ChatMessage, type ChatSession, type SessionLabels } from '@koco/storage'
import type { PanelContext } from '../context.ts'
import type { StartTurn } from './conversations.ts'
import { givenWords } from './given.ts'
import { expectedRevision, mustBeDone, nullableField, sessionOf, SessionError, type Fields } from './session-error.ts'

const TITLE_CHARS = 64

/** A turn that began. The stream is the run: its timeline is what the turn says. */
export type Said = {
  readonly ok: true
  readonly stream_id: string
  readonly session_id: string
  readonly turn_id: string
  readonly title: string
  readonly revision: number
}

/** Says something in a user's session: a turn begins. `fields` are those of `POST /api/chat/start`. SessionError as there. */
export async function say(context: PanelContext, user: string, fields: Fields): Promise<Said> {
  const message = givenWords(fields['message'], fields['attachments'], context.clock() / 1000)
  const model = nullableField(fields, 'model')
  const expected = expectedRevision(fields)
  const session = await sessionOf(context, user, fields['session_id'])
  const labels = { ...titleFor(session, message), ...(typeof model === 'string' && model !== '' && model !== session.model && { model }) }
  const { id, title, revision, turn } = await begin(context, session, { message, labels, expectedRevision: expected })
  const fid = turn?.fid ?? ''
  return { ok: true, stream_id: fid, session_id: id, turn_id: fid, title, revision }
}

async function begin(context: PanelContext, session: ChatSession, turn: StartTurn): Promise<ChatSession> {
  try {
    return mustBeDone(await context.conversations.start(session, turn), '').session
  } catch (error) {
    if (!(error instanceof RefusedError) || error.code !== 'unknown_flow') throw error
    const remedy = 'To talk, set KODO_LLM_URL and KODO_LLM_MODEL where koco is started, or serve a flow made by defineChatFlow.'
    throw new SessionError(400, session.flow === null ? `Nothing answers here yet. ${remedy}` : error.message)
  }
}

/** A session that nobody has named is named by what is first said in it. */
function titleFor(session: ChatSession, message: ChatMessage): Partial<SessionLabels> {
  if (session.title !== 'Untitled' || session.messageCount > 0) return {}
  const text = textOfContent(message.content).replace(/\s+/g, ' ').trim()
  if (text === '') return {}
  return {
    title:
      text.length > TITLE_CHARS
        ? `${text
            .slice(0, TITLE_CHARS - 1)
            .toWellFormed()
            .trimEnd()}…`
        : text,
  }
}
