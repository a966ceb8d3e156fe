import type { Conversation } from '@koco/core/api'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { chatAct, say } from '../api/chat.ts'
import { notifyFailure } from '../app/notify.ts'
import { messageOf, type Attached } from './attachment.ts'

const DRAFT = 'chat-draft:'

/** What a person is about to say in a session, and the ways to say it. What is written survives a reload and a failure. */
export type Speech = {
  readonly text: string
  readonly files: readonly Attached[]
  readonly busy: boolean
  readonly empty: boolean
  setText(text: string): void
  setFiles(files: readonly Attached[]): void
  /** Says it; while a turn runs: after that turn. */
  send(): Promise<void>
  /** Says it into the turn that runs; it stands in the talk as not heard yet until the agent comes to its next step. */
  steer(): Promise<void>
}

/** What is being said in a session. */
export function useSpeech({ session_id: id, active_stream_id: running }: Conversation): Speech {
  const client = useQueryClient()
  const [text, setText] = useState(() => sessionStorage.getItem(DRAFT + id) ?? '')
  const [files, setFiles] = useState<readonly Attached[]>([])
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    if (text === '') sessionStorage.removeItem(DRAFT + id)
    else sessionStorage.setItem(DRAFT + id, text)
  }, [id, text])
  const empty = text.trim() === '' && files.length === 0
  const tell = async (failure: string, work: () => Promise<unknown>) => {
    if (busy || empty) return
    setBusy(true)
    try {
      await work()
      setText('')
      setFiles([])
    } catch (error) {
      notifyFailure(failure, error)
    } finally {
      setBusy(false)
      void client.invalidateQueries({ queryKey: ['chat', id] })
      void client.invalidateQueries({ queryKey: ['chat-queue', id] })
      void client.invalidateQueries({ queryKey: ['chat-sessions'] })
    }
  }
  return {
    text,
    files,
    busy,
    empty,
    setText,
    setFiles,
    send: () =>
      running === null
        ? tell('It could not be said', () => say(id, messageOf(text, files)))
        : tell('It could not be put into the queue', () => chatAct('queue', { session_id: id, message: messageOf(text, files) })),
    steer: () => tell('It could not be said into the turn', () => chatAct('steer', { session_id: id, text })),
  }
}
