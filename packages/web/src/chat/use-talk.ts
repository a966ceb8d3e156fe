import type { Conversation, Session } from '@koco/core/api'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCallback } from 'react'
import { say, sessionAct } from '../api/chat.ts'
import { notifyDone, notifyFailure } from '../app/notify.ts'

/** What a person does to what was said. Each tells what became of it, and shows the talk as it then is. */
export type TalkActions = {
  /** Takes the last thing said back and says it again. */
  retry(): Promise<void>
  undo(): Promise<void>
  redo(): Promise<void>
  /** A new talk that begins with the first `keep` messages; with `text` that is said there at once. */
  fork(keep: number, text?: string): Promise<void>
}

/** The actions on a conversation. They act only on what the person has seen: `expected_revision` refuses what another tab has changed meanwhile. */
export function useTalk(session: Conversation | undefined): TalkActions {
  const client = useQueryClient()
  const navigate = useNavigate()
  const id = session?.session_id ?? ''
  const revision = session?.revision ?? 0
  const refresh = useCallback(() => {
    for (const key of [['chat', id], ['chat-sessions'], ['chat-queue', id]]) void client.invalidateQueries({ queryKey: key })
  }, [client, id])
  const guarded = async (failure: string, work: () => Promise<void>) => {
    try {
      await work()
    } catch (error) {
      notifyFailure(failure, error)
    }
    refresh()
  }
  const redo = () =>
    guarded('Nothing was brought back', async () => {
      const { restored_count: count } = await sessionAct<{ restored_count: number }>('redo', id)
      notifyDone(`${count} messages are back.`)
    })
  return {
    retry: () =>
      guarded('It could not be answered again', async () => {
        const last = session?.messages.findLast(({ role }) => role === 'user')
        await sessionAct('retry', id, { expected_revision: revision })
        if (last) await say(id, last.content)
      }),
    undo: () =>
      guarded('Nothing was taken back', async () => {
        const { removed_preview: preview } = await sessionAct<{ removed_preview: string }>('undo', id, { expected_revision: revision })
        notifyDone(`Taken back: “${preview}”`, () => void redo())
      }),
    redo,
    fork: (keep, text) =>
      guarded('No fork was made', async () => {
        const { session: made } = await sessionAct<{ session: Session }>('branch', id, { keep_count: keep })
        if (text !== undefined) await say(made.session_id, text)
        await navigate({ to: '/chat/$id', params: { id: made.session_id } as never })
      }),
  }
}
