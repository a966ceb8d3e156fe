import type { Conversation, Message } from '@koco/core/api'
import { Button, Text } from '@mantine/core'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { earlierMessages } from '../api/chat.ts'
import { notifyFailure } from '../app/notify.ts'
import { textOf } from './content.ts'
import classes from './chat.module.css'
import { LiveTurn } from './live-turn.tsx'
import { MessageView, type MessageActions } from './message.tsx'
import { outputsOf } from './outputs.ts'
import type { TalkActions } from './use-talk.ts'

/** How far from its end a person may be and still be taken along as the talk grows, in pixels. */
const NEAR_PX = 120

/** What was said, oldest first, and the turn that runs. It stays at its end as it grows, until a person scrolls up. */
export function Transcript(props: {
  readonly session: Conversation
  readonly actions: TalkActions | null
  readonly onEdit: (index: number, text: string) => void
}) {
  const { session, actions, onEdit } = props
  const { session_id: id, active_stream_id: running, _messages_offset: offset } = session
  const [earlier, setEarlier] = useState<readonly Message[]>([])
  const begin = offset - earlier.length
  const messages = useMemo(() => [...earlier, ...session.messages], [earlier, session.messages])
  const outputs = useMemo(() => outputsOf(messages), [messages])
  const frame = useRef<HTMLDivElement>(null)
  const column = useRef<HTMLDivElement>(null)
  const near = useRef(true)
  const stay = useCallback(() => {
    const at = frame.current
    if (at && near.current) at.scrollTop = at.scrollHeight
  }, [])
  useEffect(stay, [stay, session.revision, running])
  // What is said grows after it is there, too: Markdown is rendered when its renderer has come, pictures are drawn when they are read.
  useEffect(() => {
    const observer = new ResizeObserver(stay)
    if (column.current) observer.observe(column.current)
    return () => observer.disconnect()
  }, [stay])
  const more = () => {
    earlierMessages(id, begin).then(
      (found) => setEarlier([...found, ...earlier]),
      (error: unknown) => notifyFailure('Earlier messages could not be read', error),
    )
  }
  const lastUser = messages.findLastIndex(({ role }) => role === 'user')
  const actionsOf = (message: Message, index: number): MessageActions => {
    if (!actions || running !== null) return {}
    const place = begin + index
    return {
      onFork: () => void actions.fork(place + 1),
      ...(message.role === 'user' && { onEdit: () => onEdit(place, textOf(message.content)) }),
      ...(index === lastUser && { onRetry: () => void actions.retry() }),
    }
  }
  return (
    // Scrollable, so it can be reached by keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div
      ref={frame}
      className={classes['transcript']}
      tabIndex={0}
      role="log"
      aria-label="What was said"
      onScroll={({ currentTarget: at }) => (near.current = at.scrollHeight - at.scrollTop - at.clientHeight < NEAR_PX)}
    >
      <div className={classes['column']} ref={column}>
        {begin > 0 && (
          <Button variant="subtle" size="xs" onClick={more}>
            Show {Math.min(begin, 200)} earlier messages
          </Button>
        )}
        {messages.length === 0 && running === null && (
          <Text c="dimmed" ta="center" mt="xl">
            Nothing was said yet.
          </Text>
        )}
        {messages.map((message, index) =>
          message.role === 'tool' ? null : <MessageView key={message.id} message={message} outputs={outputs} actions={actionsOf(message, index)} />,
        )}
        {running !== null && <LiveTurn key={running} fid={running} session={id} onGrow={stay} />}
      </div>
    </div>
  )
}
