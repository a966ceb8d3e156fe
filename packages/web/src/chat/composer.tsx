import type { Conversation } from '@koco/core/api'
import { ActionIcon, Badge, Button, CloseButton, FileButton, Group, Text, Textarea, Tooltip } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { chatAct, queueQuery } from '../api/chat.ts'
import { Icon } from '../app/icons.tsx'
import { notifyFailure } from '../app/notify.ts'
import { attach, type Attached } from './attachment.ts'
import classes from './chat.module.css'
import { textOf } from './content.ts'
import { useSpeech, type Speech } from './use-speech.ts'

/** Where a person writes: send; while a turn runs: say it into the turn, after it, or stop the turn. */
export function Composer({ session }: { readonly session: Conversation }) {
  const { session_id: id, active_stream_id: running } = session
  const speech = useSpeech(session)
  const field = useRef<HTMLTextAreaElement>(null)
  useEffect(() => field.current?.focus(), [])
  const send = async () => {
    await speech.send()
    field.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    void send()
  }
  return (
    <form
      className={classes['composer']}
      aria-label="Say something"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      {session.queued > 0 && <Queue id={id} />}
      <Files files={speech.files} onChange={speech.setFiles} />
      <Textarea
        ref={field}
        autosize
        minRows={2}
        maxRows={12}
        aria-label="Message"
        placeholder={running === null ? 'Say something' : 'Say something into the turn, or after it'}
        value={speech.text}
        onChange={(event) => speech.setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <Buttons running={running} speech={speech} />
    </form>
  )
}

function Buttons({ running, speech }: { readonly running: string | null; readonly speech: Speech }) {
  const { empty, files, busy } = speech
  return (
    <Group justify="space-between" mt={6} gap="xs" wrap="nowrap">
      <Group gap={4} wrap="nowrap">
        <AttachButton onFiles={(added) => speech.setFiles([...files, ...added])} />
        <Text size="xs" c="dimmed" visibleFrom="md" truncate>
          Enter {running === null ? 'sends' : 'queues'}, Shift Enter begins a line
        </Text>
      </Group>
      <Group gap={6} wrap="nowrap">
        {running !== null && <StopButton fid={running} />}
        {running !== null && (
          <Tooltip label="The agent hears it before its next step" withArrow>
            <Button size="xs" variant="default" disabled={empty || files.length > 0} onClick={() => void speech.steer()}>
              Steer
            </Button>
          </Tooltip>
        )}
        <Button size="xs" type="submit" loading={busy} disabled={empty}>
          {running === null ? 'Send' : 'Queue'}
        </Button>
      </Group>
    </Group>
  )
}

function StopButton({ fid }: { readonly fid: string }) {
  const [busy, setBusy] = useState(false)
  const stop = async () => {
    setBusy(true)
    await chatAct('cancel', { stream_id: fid }).catch((error: unknown) => notifyFailure('The turn could not be stopped', error))
    setBusy(false)
  }
  return (
    <Button size="xs" color="red" variant="light" loading={busy} leftSection={<Icon name="stop" size={14} />} onClick={() => void stop()}>
      Stop
    </Button>
  )
}

function AttachButton({ onFiles }: { readonly onFiles: (files: readonly Attached[]) => void }) {
  const read = (chosen: File[]) => {
    attach(chosen).then(onFiles, (error: unknown) => notifyFailure('Not attached', error))
  }
  return (
    <FileButton multiple onChange={read}>
      {(props) => (
        <Tooltip label="Attach pictures or text files" withArrow>
          <ActionIcon {...props} variant="subtle" color="gray" aria-label="Attach pictures or text files">
            <Icon name="clip" size={16} />
          </ActionIcon>
        </Tooltip>
      )}
    </FileButton>
  )
}

function Files({ files, onChange }: { readonly files: readonly Attached[]; readonly onChange: (files: readonly Attached[]) => void }) {
  if (files.length === 0) return null
  return (
    <Group gap={6} mb={6}>
      {files.map((file, index) => (
        <Badge
          key={`${file.name}:${index}`}
          variant="light"
          tt="none"
          rightSection={<CloseButton size="xs" aria-label={`Leave ${file.name} out`} onClick={() => onChange(files.filter((other) => other !== file))} />}
        >
          {file.name}
        </Badge>
      ))}
    </Group>
  )
}

function Queue({ id }: { readonly id: string }) {
  const client = useQueryClient()
  const { data } = useQuery(queueQuery(id))
  const waiting = data?.queue ?? []
  const remove = async (entry: string) => {
    await chatAct('queue', { session_id: id, remove: entry }).catch((error: unknown) => notifyFailure('It could not be taken back', error))
    void client.invalidateQueries({ queryKey: ['chat-queue', id] })
    void client.invalidateQueries({ queryKey: ['chat', id] })
  }
  return (
    <Group gap={6} mb={6} role="list" aria-label="Said after this turn">
      {waiting.map((entry) => (
        <Badge
          key={entry.id}
          role="listitem"
          variant="default"
          tt="none"
          maw="100%"
          rightSection={<CloseButton size="xs" aria-label="Take it back" onClick={() => void remove(entry.id)} />}
        >
          next: {textOf(entry.message.content).slice(0, 80)}
        </Badge>
      ))}
    </Group>
  )
}
