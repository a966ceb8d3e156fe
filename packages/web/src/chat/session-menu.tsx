import type { Conversation, Session } from '@koco/core/api'
import { ActionIcon, Menu, Modal, TextInput, Button, Group } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { sessionAct } from '../api/chat.ts'
import { Icon } from '../app/icons.tsx'
import { notifyDone, notifyFailure } from '../app/notify.ts'

/** What can be done to a whole session. */
export function SessionMenu({ session }: { readonly session: Conversation }) {
  const { session_id: id, title, pinned, archived, active_stream_id: running, message_count: count } = session
  const [renaming, rename] = useDisclosure(false)
  const acts = useActs(session)
  const quiet = running === null && count > 0
  return (
    <>
      <Menu position="bottom-end" withArrow>
        <Menu.Target>
          <ActionIcon variant="default" aria-label="More to do with this talk">
            <Icon name="settings" size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={rename.open}>Rename</Menu.Item>
          <Menu.Item onClick={() => acts.label('pin', { pinned: !pinned }, pinned ? 'No longer pinned.' : 'Pinned.')}>{pinned ? 'Unpin' : 'Pin'}</Menu.Item>
          <Menu.Item onClick={() => acts.label('archive', { archived: !archived }, archived ? 'It is current again.' : 'Archived.')}>
            {archived ? 'Bring back' : 'Archive'}
          </Menu.Item>
          <Menu.Item onClick={acts.duplicate}>Duplicate</Menu.Item>
          <Menu.Divider />
          <Menu.Item component="a" href={`/api/session/export?session_id=${id}&format=json`} download>
            Export as JSON
          </Menu.Item>
          <Menu.Item component="a" href={`/api/session/export?session_id=${id}&format=html`} download>
            Export as a page
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item disabled={!quiet} onClick={acts.compress}>
            Make it shorter
          </Menu.Item>
          <Menu.Item disabled={!quiet} onClick={acts.clear}>
            Take all of it back
          </Menu.Item>
          <Menu.Item color="red" onClick={acts.remove}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={renaming} onClose={rename.close} title="Rename this talk" size="sm">
        <Rename
          title={title}
          onDone={(next) => {
            rename.close()
            if (next !== title) acts.label('rename', { title: next }, 'Renamed.')
          }}
        />
      </Modal>
    </>
  )
}

/** The acts on a session; each tells what became of it. */
function useActs({ session_id: id, title }: Conversation) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const act = async (work: () => Promise<unknown>, done: string, undo?: () => void) => {
    try {
      await work()
      notifyDone(done, undo)
    } catch (error) {
      notifyFailure('That was not done', error)
    }
    void client.invalidateQueries({ queryKey: ['chat', id] })
    void client.invalidateQueries({ queryKey: ['chat-sessions'] })
  }
  const copy = async () => {
    const made = await sessionAct<{ session: Session }>('duplicate', id)
    await navigate({ to: '/chat/$id', params: { id: made.session.session_id } as never })
  }
  const remove = async () => {
    await sessionAct('delete', id)
    await navigate({ to: '/chat' })
  }
  const redo = () => void act(() => sessionAct('redo', id), 'It is back.')
  return {
    label: (name: 'pin' | 'archive' | 'rename', fields: Readonly<Record<string, boolean | string>>, done: string) =>
      void act(() => sessionAct(name, id, fields), done),
    duplicate: () => void act(copy, 'Copied.'),
    compress: () => void act(() => sessionAct('compress', id), 'A summary is being made.'),
    clear: () => void act(() => sessionAct('clear', id), 'All of it is taken back.', redo),
    remove: () => void act(remove, `“${title}” is deleted.`),
  }
}

function Rename({ title, onDone }: { readonly title: string; readonly onDone: (title: string) => void }) {
  const [text, setText] = useState(title)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (text.trim() !== '') onDone(text.trim())
      }}
    >
      <TextInput label="Title" maxLength={200} data-autofocus value={text} onChange={(event) => setText(event.target.value)} />
      <Group justify="flex-end" mt="md">
        <Button type="submit" disabled={text.trim() === ''}>
          Rename
        </Button>
      </Group>
    </form>
  )
}
