import { Alert, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { openLocksQuery } from '../api/locks.ts'
import { Failure } from '../app/states.tsx'
import { StreamLight } from '../live/stream-light.tsx'
import { LockCard } from '../locks/lock-card.tsx'
import { useRunFeed } from '../run/use-run-feed.ts'
import { Approval, approvalOf } from './approval.tsx'
import classes from './chat.module.css'
import { MessageView } from './message.tsx'
import { outputsOf } from './outputs.ts'
import { usePendingSteers } from './pending-steers.tsx'
import { turnSoFar, withLiveText } from './turn-messages.ts'

/** The turn that runs: what it has said so far and says now, the questions that it asks, and how its stream stands. */
export function LiveTurn({ fid, session, onGrow }: { readonly fid: string; readonly session: string; readonly onGrow: () => void }) {
  const { feed, state } = useRunFeed(fid)
  const client = useQueryClient()
  const { version } = state
  // The log is the feed's own and grows in place: its version says when to look again.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const turn = useMemo(() => turnSoFar(fid, feed.log.events), [fid, feed, version])
  const { data: locks = [] } = useQuery(openLocksQuery)
  const over = state.phase === 'ended'
  useEffect(() => {
    if (over) void client.invalidateQueries({ queryKey: ['chat', session] })
  }, [over, client, session])
  useEffect(onGrow, [onGrow, version])
  const outputs = useMemo(() => outputsOf(turn.messages), [turn])
  const pending = usePendingSteers(session, feed.log.events)
  const questions = locks.filter((lock) => lock.fid === fid)
  const shown = withLiveText(fid, turn.messages, feed.live.texts).filter(({ role }) => role !== 'tool')
  return (
    <>
      {shown.map((message) => (
        <MessageView key={message.id} message={message} outputs={outputs} live />
      ))}
      {!over && pending.map(({ id, text }) => <MessageView key={id} message={{ id, role: 'user', content: text, pending: true }} outputs={outputs} live />)}
      {questions.map((lock) => {
        const asked = approvalOf(lock)
        return asked ? <Approval key={lock.lid} lock={lock} {...asked} /> : <LockCard key={lock.lid} lock={lock} />
      })}
      {state.problem && <Failure error={state.problem} title="The live answer is interrupted" />}
      {turn.error !== null && (
        <Alert color="red" variant="light">
          {turn.error}
        </Alert>
      )}
      {!over && (
        <Text className={classes['writing']} role="status">
          <StreamLight phase={state.phase} /> {doing(questions.length > 0, turn.calling)}
        </Text>
      )}
    </>
  )
}

function doing(asks: boolean, calling: string | null): string {
  if (asks) return 'Waits for an answer'
  return calling === null ? 'Answering …' : `Using ${calling} …`
}
