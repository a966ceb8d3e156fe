import { Button, Group, Modal, Select, Stack, TagsInput, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { createCheckpoint, sessionNamesQuery } from '../api/checkpoints.ts'
import { newKey } from '../api/new-key.ts'
import { notifyDone, notifyFailure } from '../app/notify.ts'
import { Failure } from '../app/states.tsx'

/** Makes a checkpoint of a session. */
export function CreateDialog({ session: given, close }: { readonly session: string | undefined; readonly close: () => void }) {
  const { data: sessions = [], error } = useQuery(sessionNamesQuery)
  const [session, setSession] = useState<string | null>(given ?? null)
  const [description, setDescription] = useState('')
  const [tags, setTags] = useState<string[]>([])
  const [key] = useState(newKey)
  const client = useQueryClient()
  const making = useMutation({
    mutationFn: (id: string) => createCheckpoint(id, description, tags, key),
    onSuccess: () => {
      notifyDone('The checkpoint is made.')
      close()
    },
    onError: (failure) => notifyFailure('No checkpoint was made', failure),
    onSettled: () => client.invalidateQueries({ queryKey: ['checkpoints'] }),
  })
  return (
    <Modal opened onClose={close} title="Make a checkpoint" centered>
      <Stack gap="sm">
        {error && <Failure error={error} />}
        <Select
          label="Session"
          searchable
          required
          data={sessions.map(({ session_id: value, title }) => ({ value, label: `${title} (${value})` }))}
          value={session}
          onChange={setSession}
          nothingFoundMessage="No session is called so"
        />
        <TextInput label="Description" value={description} onChange={(event) => setDescription(event.currentTarget.value)} maxLength={500} />
        <TagsInput label="Tags" value={tags} onChange={setTags} />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button data-confirm disabled={session === null} loading={making.isPending} onClick={() => session !== null && making.mutate(session)}>
            Make it
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
