import type { Checkpoint, Merge } from '@koco/core/api'
import { Button, Group, Modal, SegmentedControl, Select, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { mergeCheckpoints } from '../api/checkpoints.ts'
import { notifyDone, notifyFailure } from '../app/notify.ts'
import { TextBlock } from '../show/json.tsx'

type Side = 'ours' | 'theirs'

const CHOICES = [
  { value: 'ours', label: 'The first' },
  { value: 'theirs', label: 'The second' },
]

/** Merges two checkpoints into a new session; conflicts are shown, and decided one by one. */
export function MergeDialog({ ours, theirs, close }: { readonly ours: Checkpoint; readonly theirs: Checkpoint; readonly close: () => void }) {
  const [strategy, setStrategy] = useState<Side | 'manual'>('manual')
  const [files, setFiles] = useState<Record<string, Side>>({})
  const [talk, setTalk] = useState<Side | 'both'>('both')
  const client = useQueryClient()
  const merging = useMutation({
    mutationFn: (told: Merge | undefined) => {
      const resolution = told && strategy === 'manual' ? { files: decided(told, files), conversation: talk } : undefined
      return mergeCheckpoints({ ours: ours.id, theirs: theirs.id, strategy, ...(resolution && { resolution }) })
    },
    onSuccess: (merged) => {
      if (merged.outcome !== 'merged') return
      notifyDone(`Session ${merged.session_id ?? ''} has both.`)
      close()
    },
    onError: (error) => notifyFailure('They were not merged', error),
    onSettled: () => client.invalidateQueries({ queryKey: ['checkpoints'] }),
  })
  const told = merging.data?.outcome === 'conflicts' ? merging.data : undefined
  return (
    <Modal opened onClose={close} title="Merge into a new session" size="xl" centered>
      <Stack gap="sm">
        <Text size="sm">
          The first is <b>{nameOf(ours)}</b>, the second <b>{nameOf(theirs)}</b>. What one of them changed since their common ancestor is taken. Where both
          changed the same, this decides:
        </Text>
        <SegmentedControl
          value={strategy}
          onChange={(value) => {
            setStrategy(value as Side | 'manual')
            merging.reset()
          }}
          data={[{ value: 'manual', label: 'I do, one by one' }, ...CHOICES]}
          aria-label="What decides conflicts"
        />
        {told && strategy === 'manual' && (
          <Conflicts told={told} files={files} choose={(path, side) => setFiles({ ...files, [path]: side })} talk={talk} chooseTalk={setTalk} />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button data-confirm loading={merging.isPending} onClick={() => merging.mutate(told)}>
            {told ? 'Merge with these choices' : 'Merge'}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function nameOf({ id, description }: Checkpoint): string {
  return description === '' ? id : description
}

type ConflictsProps = {
  readonly told: Merge
  readonly files: Readonly<Record<string, Side>>
  readonly choose: (path: string, side: Side) => void
  readonly talk: Side | 'both'
  readonly chooseTalk: (talk: Side | 'both') => void
}

function Conflicts({ told, files, choose, talk, chooseTalk }: ConflictsProps) {
  return (
    <Stack gap="sm" role="group" aria-label="Conflicts">
      {told.conversation && (
        <Select
          label={`Conversation: after ${told.conversation.common} messages both went on`}
          data={[{ value: 'both', label: 'The first, then what the second said' }, ...CHOICES]}
          value={talk}
          allowDeselect={false}
          onChange={(value) => chooseTalk((value ?? 'both') as Side | 'both')}
        />
      )}
      {(told.files ?? []).map(({ path, ours, theirs, text }) => (
        <div key={path}>
          <Select
            label={path}
            description={ours === null ? 'The first deleted it' : theirs === null ? 'The second deleted it' : 'Both changed it'}
            data={CHOICES}
            value={files[path] ?? 'ours'}
            allowDeselect={false}
            onChange={(value) => choose(path, value === 'theirs' ? 'theirs' : 'ours')}
          />
          {text !== null && <TextBlock text={text} what={path} />}
        </div>
      ))}
    </Stack>
  )
}

function decided(told: Merge, files: Readonly<Record<string, Side>>): Record<string, Side> {
  return Object.fromEntries((told.files ?? []).map(({ path }) => [path, files[path] ?? 'ours']))
}
