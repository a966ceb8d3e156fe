import type { Checkpoint } from '@koco/core/api'
import { ActionIcon, Button, Checkbox, Menu } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { deleteCheckpoint, lockCheckpoint } from '../api/checkpoints.ts'
import { Icon } from '../app/icons.tsx'
import { notifyDone, notifyFailure } from '../app/notify.ts'
import { RestoreDialog } from './restore-dialog.tsx'

/** What can be done with one checkpoint: choose it to compare, restore, lock, download, delete. */
export function CheckpointActions({
  checkpoint,
  isChosen,
  choose,
}: {
  readonly checkpoint: Checkpoint
  readonly isChosen: boolean
  readonly choose: (id: string) => void
}) {
  const { id, lock } = checkpoint
  const [restoring, setRestoring] = useState(false)
  const client = useQueryClient()
  const settled = () => client.invalidateQueries({ queryKey: ['checkpoints'] })
  const locking = useMutation({
    mutationFn: () => lockCheckpoint(id, lock === null),
    onSuccess: () => notifyDone(lock === null ? 'It cannot be deleted now.' : 'It can be deleted again.'),
    onError: (error) => notifyFailure('That did not work', error),
    onSettled: settled,
  })
  const deleting = useMutation({
    mutationFn: () => deleteCheckpoint(id),
    onSuccess: () => notifyDone('Deleted. Those that continue it are not harmed.'),
    onError: (error) => notifyFailure('It was not deleted', error),
    onSettled: settled,
  })
  const name = checkpoint.description === '' ? id : checkpoint.description
  return (
    <>
      <Checkbox size="xs" checked={isChosen} onChange={() => choose(id)} aria-label={`Choose ${name} to compare`} />
      <Button size="compact-sm" variant="default" visibleFrom="xs" onClick={() => setRestoring(true)} aria-label={`Restore ${name}`}>
        Restore
      </Button>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={`More for ${name}`}>
            <Icon name="more" size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item hiddenFrom="xs" onClick={() => setRestoring(true)}>
            Restore
          </Menu.Item>
          <Menu.Item onClick={() => locking.mutate()}>{lock === null ? 'Lock' : 'Unlock'}</Menu.Item>
          <Menu.Item component="a" href={`/api/checkpoints/${id}/export`} download>
            Download
          </Menu.Item>
          <Menu.Item color="red" disabled={lock !== null} onClick={() => deleting.mutate()}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {restoring && <RestoreDialog checkpoint={checkpoint} close={() => setRestoring(false)} />}
    </>
  )
}
