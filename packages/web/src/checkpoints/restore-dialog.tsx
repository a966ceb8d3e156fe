import type { Checkpoint, RestorePlan } from '@koco/core/api'
import { Alert, Button, Group, List, Modal, SegmentedControl, Stack, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { planQuery, restoreCheckpoint } from '../api/checkpoints.ts'
import { notifyDone, notifyFailure } from '../app/notify.ts'
import { Failure, Loading } from '../app/states.tsx'
import { Ago } from '../show/time.tsx'

/** Shows what restoring would change, and does it: to a new session, or in place. */
export function RestoreDialog({ checkpoint, close }: { readonly checkpoint: Checkpoint; readonly close: () => void }) {
  const [where, setWhere] = useState<'new' | 'place'>('new')
  const inPlace = where === 'place'
  const { data: plan, error, isPending } = useQuery(planQuery(checkpoint.id, inPlace))
  const client = useQueryClient()
  const restoring = useMutation({
    mutationFn: () => restoreCheckpoint(checkpoint.id, inPlace),
    onSuccess: ({ session_id: session }) => {
      notifyDone(inPlace ? 'The session is as it was; what it replaced is a checkpoint now.' : `Session ${session} was made of it.`)
      close()
    },
    onError: (failure) => notifyFailure('It was not restored', failure),
    onSettled: () => client.invalidateQueries({ queryKey: ['checkpoints'] }),
  })
  const isGone = plan?.session_id === null
  return (
    <Modal opened onClose={close} title={`Restore ${checkpoint.description === '' ? checkpoint.id : checkpoint.description}`} size="lg" centered>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          Made <Ago at={checkpoint.created_at} fz="inherit" /> of session {checkpoint.session_id}.
        </Text>
        <SegmentedControl
          value={where}
          onChange={(value) => setWhere(value === 'place' ? 'place' : 'new')}
          data={[
            { value: 'new', label: 'To a new session' },
            { value: 'place', label: 'In place', disabled: isGone },
          ]}
          aria-label="Where to restore"
        />
        <Text size="sm">
          {inPlace
            ? 'The session and its workspace go back to what they were. A checkpoint of what they are now is made first.'
            : 'The session that it was made of stays as it is.'}
        </Text>
        {error && <Failure error={error} />}
        {isPending && !error && <Loading what="what would change" />}
        {plan && <Plan plan={plan} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button
            data-confirm
            loading={restoring.isPending}
            disabled={!plan || (inPlace && isGone)}
            color={inPlace ? 'orange' : undefined}
            onClick={() => restoring.mutate()}
          >
            {inPlace ? 'Put it back' : 'Make a new session'}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function Plan({ plan: { files, conversation, missing, steps, locks } }: { readonly plan: RestorePlan }) {
  const { now, copied, common } = conversation
  return (
    <Stack gap="xs">
      <Text size="sm" fw={550}>
        Against the session as it is now
      </Text>
      <List size="sm" spacing={2}>
        <List.Item>
          Conversation: {copied} messages, {common === now && common === copied ? 'the same as now' : `of which ${common} are the same; now there are ${now}`}
        </List.Item>
        <Changed what="Come back" paths={files.added} />
        <Changed what="Change" paths={files.changed} />
        <Changed what="Go" paths={files.removed} />
        <List.Item>Stay as they are: {files.unchanged === 1 ? '1 file' : `${files.unchanged} files`}</List.Item>
      </List>
      {missing.length > 0 && (
        <Alert color="red" title={`The content of ${missing.length} files is gone`}>
          {missing.slice(0, 8).join(', ')}
        </Alert>
      )}
      {steps.length > 0 && (
        <Alert color="orange" title="Steps since then would run again">
          {steps.slice(0, 12).join(', ')}
          {steps.length > 12 && ` and ${steps.length - 12} more`}
        </Alert>
      )}
      {locks.length > 0 && (
        <Alert color="orange" title="Questions are open">
          {locks.join(', ')}
        </Alert>
      )}
    </Stack>
  )
}

function Changed({ what, paths }: { readonly what: string; readonly paths: readonly string[] }) {
  if (paths.length === 0) return null
  return (
    <List.Item style={{ overflowWrap: 'anywhere' }}>
      {what}: {paths.slice(0, 8).join(', ')}
      {paths.length > 8 && ` and ${paths.length - 8} more`}
    </List.Item>
  )
}
