import type { Session } from '@koco/core/api'
import { ActionIcon, Badge, Button, Group, Loader, SegmentedControl, Text, TextInput, Title, Tooltip } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { newSession, searchQuery, sessionsQuery } from '../api/chat.ts'
import { openLocksQuery } from '../api/locks.ts'
import { useSlashFocus } from '../app/hot-keys.ts'
import { Icon } from '../app/icons.tsx'
import { notifyFailure } from '../app/notify.ts'
import { Failure } from '../app/states.tsx'
import { Ago } from '../show/time.tsx'
import classes from './chat.module.css'

/** The sessions of the person who is signed in: search in titles and words, open, make a new one. */
export function SessionList({ current }: { readonly current: string | undefined }) {
  const [text, setText] = useState('')
  const [q] = useDebouncedValue(text.trim(), 250)
  const [archived, setArchived] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  useSlashFocus(field)
  return (
    <nav className={classes['list']} aria-label="Sessions">
      <Title order={current === undefined ? 1 : 2} size="h4">
        Chat
      </Title>
      <Group gap={6} wrap="nowrap">
        <TextInput
          ref={field}
          flex={1}
          size="sm"
          placeholder="Search in all talks"
          aria-label="Search in all talks"
          leftSection={<Icon name="search" size={15} />}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <NewSessionButton compact />
      </Group>
      {q === '' ? (
        <>
          <SegmentedControl
            size="xs"
            fullWidth
            value={archived ? 'archived' : 'active'}
            onChange={(value) => setArchived(value === 'archived')}
            data={[
              { value: 'active', label: 'Current' },
              { value: 'archived', label: 'Archived' },
            ]}
          />
          <AllSessions archived={archived} current={current} />
        </>
      ) : (
        <FoundSessions q={q} current={current} />
      )}
    </nav>
  )
}

/** Makes a session and opens it. */
export function NewSessionButton({ compact }: { readonly compact: boolean }) {
  const navigate = useNavigate()
  const client = useQueryClient()
  const make = useMutation({
    mutationFn: newSession,
    onSuccess: ({ session_id: id }) => {
      void client.invalidateQueries({ queryKey: ['chat-sessions'] })
      void navigate({ to: '/chat/$id', params: { id } as never })
    },
    onError: (error) => notifyFailure('No session could be made', error),
  })
  if (!compact) {
    return (
      <Button mt="md" display="block" mx="auto" loading={make.isPending} onClick={() => make.mutate()}>
        New talk
      </Button>
    )
  }
  return (
    <Tooltip label="New talk" withArrow>
      <ActionIcon size={36} aria-label="New talk" loading={make.isPending} onClick={() => make.mutate()}>
        <Icon name="plus" />
      </ActionIcon>
    </Tooltip>
  )
}

function AllSessions({ archived, current }: { readonly archived: boolean; readonly current: string | undefined }) {
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(sessionsQuery(archived))
  const sessions = data?.pages.flatMap((page) => page.sessions) ?? []
  if (error) return <Failure error={error} retry={() => void refetch()} />
  if (isPending) return <Loader size="xs" type="dots" color="gray" mx="auto" />
  if (sessions.length === 0) return <Nothing text={archived ? 'Nothing is archived.' : 'No talks yet: begin one with the plus.'} />
  return (
    <ul className={classes['sessions']}>
      {sessions.map((session) => (
        <SessionItem key={session.session_id} session={session} current={current} />
      ))}
      {hasNextPage && (
        <li>
          <Button variant="subtle" size="xs" fullWidth loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            More
          </Button>
        </li>
      )}
    </ul>
  )
}

function FoundSessions({ q, current }: { readonly q: string; readonly current: string | undefined }) {
  const { data, error, isPending } = useQuery(searchQuery(q))
  if (error) return <Failure error={error} />
  if (isPending) return <Loader size="xs" type="dots" color="gray" mx="auto" />
  if (data.length === 0) return <Nothing text={`Nobody said “${q}”.`} />
  return (
    <ul className={classes['sessions']}>
      {data.map((hit) => (
        <SessionItem
          key={`${hit.session_id}:${hit.message_id ?? ''}`}
          session={hit}
          current={current}
          {...(hit.match_type === 'content' && { preview: hit.preview })}
        />
      ))}
    </ul>
  )
}

function Nothing({ text }: { readonly text: string }) {
  return (
    <Text size="sm" c="dimmed" ta="center" mt="md">
      {text}
    </Text>
  )
}

function SessionItem({ session, current, preview }: { readonly session: Session; readonly current: string | undefined; readonly preview?: string }) {
  const { session_id: id, title, pinned, active_stream_id: running, updated_at: at } = session
  return (
    <li>
      <Link
        to="/chat/$id"
        params={{ id } as never}
        className={classes['session']}
        data-current={id === current}
        aria-current={id === current ? 'page' : undefined}
      >
        <div className={classes['title']}>{title}</div>
        {preview !== undefined && (
          <Text size="xs" c="dimmed" className={classes['preview']}>
            {preview}
          </Text>
        )}
        <Group gap={6}>
          <Text size="xs" c="dimmed">
            <Ago at={at} />
          </Text>
          {pinned && (
            <Text size="xs" c="dimmed">
              pinned
            </Text>
          )}
          {running !== null && <Standing fid={running} />}
        </Group>
      </Link>
    </li>
  )
}

/** What a turn does now: it answers, or waits for somebody's answer. */
function Standing({ fid }: { readonly fid: string }) {
  const { data: locks = [] } = useQuery(openLocksQuery)
  const asks = locks.some((lock) => lock.fid === fid)
  return (
    <Badge size="xs" variant="light" tt="none" {...(asks && { color: 'orange' })}>
      {asks ? 'asks' : 'answering'}
    </Badge>
  )
}
