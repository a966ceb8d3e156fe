import type { Conversation } from '@koco/core/api'
import { ActionIcon, Alert, Button, Group, Modal, Text, Textarea, Title, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { conversationQuery, usageQuery } from '../api/chat.ts'
import { meQuery } from '../api/session.ts'
import { Icon, type IconName } from '../app/icons.tsx'
import { usePageTitle } from '../app/page.tsx'
import { Failure, Loading } from '../app/states.tsx'
import classes from './chat.module.css'
import { Composer } from './composer.tsx'
import { ForksMenu } from './forks-menu.tsx'
import { SessionMenu } from './session-menu.tsx'
import { Transcript } from './transcript.tsx'
import { useTalk, type TalkActions } from './use-talk.ts'
import { WorkspaceSide } from './workspace-side.tsx'

/** One conversation: its head with what it has spent, what was said, the running turn, and where one writes. */
export function Talk({ id }: { readonly id: string }) {
  const { data: session, error, refetch } = useQuery(conversationQuery(id))
  const { data: me } = useQuery(meQuery)
  const actions = useTalk(session)
  const [files, showFiles] = useDisclosure(false)
  const [editing, setEditing] = useState<{ readonly index: number; readonly text: string } | null>(null)
  usePageTitle(session?.title ?? 'Chat')
  if (!session) return error ? <Failure error={error} retry={() => void refetch()} /> : <Loading what="conversation" />
  const mayWrite = me?.user.role !== 'viewer'
  return (
    <>
      <Head session={session} actions={actions} mayWrite={mayWrite} files={files} onFiles={showFiles.toggle} />
      <div className={classes['beside']}>
        <div className={classes['said']}>
          <Transcript session={session} actions={mayWrite ? actions : null} onEdit={(index, text) => setEditing({ index, text })} />
          {session.damage !== undefined && (
            <Alert color="orange" variant="light" mt="xs" p="xs" icon={<Icon name="alert" />} role="alert">
              {session.damage}
            </Alert>
          )}
          {mayWrite && session._damaged === undefined && <Composer session={session} />}
        </div>
        <WorkspaceSide session={session} mayWrite={mayWrite} opened={files} onClose={showFiles.close} />
      </div>
      <Modal opened={editing !== null} onClose={() => setEditing(null)} title="Say it differently, in a fork" size="lg">
        {editing && (
          <EditForm
            text={editing.text}
            onSend={(text) => {
              setEditing(null)
              void actions.fork(editing.index, text)
            }}
          />
        )}
      </Modal>
    </>
  )
}

type HeadProps = {
  readonly session: Conversation
  readonly actions: TalkActions
  readonly mayWrite: boolean
  readonly files: boolean
  readonly onFiles: () => void
}

function Head({ session, actions, mayWrite, files, onFiles }: HeadProps) {
  const quiet = session.active_stream_id === null && mayWrite
  return (
    <header className={classes['head']}>
      <ActionIcon component={Link} to="/chat" variant="subtle" color="gray" hiddenFrom="sm" aria-label="All talks">
        <span style={{ transform: 'scaleX(-1)', display: 'flex' }}>
          <Icon name="chevron" />
        </span>
      </ActionIcon>
      <div className={classes['name']}>
        <Title order={1}>{session.title}</Title>
        <Usage session={session} />
      </div>
      <Group gap={6} wrap="nowrap">
        <ForksMenu id={session.session_id} />
        <Tooltip label="Files that you and the agent work on" withArrow>
          <ActionIcon variant={files ? 'light' : 'default'} aria-label="Workspace files" aria-expanded={files} onClick={onFiles}>
            <Icon name="folder" size={16} />
          </ActionIcon>
        </Tooltip>
        <HeadAction icon="undo" label="Take the last turn back" disabled={!quiet || session.message_count === 0} onClick={() => void actions.undo()} />
        <HeadAction icon="redo" label="Bring back what was taken back" disabled={!quiet || session.redoable === 0} onClick={() => void actions.redo()} />
        {mayWrite && <SessionMenu session={session} />}
      </Group>
    </header>
  )
}

function HeadAction(props: { readonly icon: IconName; readonly label: string; readonly disabled: boolean; readonly onClick: () => void }) {
  return (
    <Tooltip label={props.label} withArrow>
      <ActionIcon variant="default" aria-label={props.label} disabled={props.disabled} onClick={props.onClick}>
        <Icon name={props.icon} size={16} />
      </ActionIcon>
    </Tooltip>
  )
}

function Usage({ session }: { readonly session: Conversation }) {
  const { data } = useQuery(usageQuery(session.session_id, session.revision))
  const spent = data && data.total_tokens > 0
  return (
    <Text size="xs" c="dimmed" truncate>
      {session.model ?? session.flow ?? 'standard agent'}
      {spent && ` · ${data.total_tokens.toLocaleString()} tokens`}
      {spent && ` · ${data.estimated_cost === null ? 'cost not known' : `$${data.estimated_cost.toFixed(4)}`}`}
    </Text>
  )
}

function EditForm({ text: given, onSend }: { readonly text: string; readonly onSend: (text: string) => void }) {
  const [text, setText] = useState(given)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (text.trim() !== '') onSend(text)
      }}
    >
      <Textarea autosize minRows={4} maxRows={20} data-autofocus aria-label="Message" value={text} onChange={(event) => setText(event.target.value)} />
      <Group justify="space-between" mt="md">
        <Text size="xs" c="dimmed">
          This talk stays as it is.
        </Text>
        <Button type="submit" disabled={text.trim() === ''}>
          Send in a fork
        </Button>
      </Group>
    </form>
  )
}
